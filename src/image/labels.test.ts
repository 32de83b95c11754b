import { describe, expect, it } from 'vitest';
import type { Revision } from '../source/model.ts';
import { withOciLabels } from './labels.ts';
import { somePlan } from './testing-plan.ts';

const SHA = 'a'.repeat(40);
const MERGE = 'b'.repeat(40);
const REVISION: Revision = {
  sha: SHA,
  shortSha: 'aaaaaaa',
  branch: 'main',
  refName: 'main',
  dirty: false,
  committedAt: 1_700_000_000,
  message: 'Say hello',
  repositoryUrl: 'https://github.com/acme/demo',
  repository: 'acme/demo',
  origin: 'HEAD',
};

describe('withOciLabels', () => {
  it('says where the image comes from', () => {
    expect(withOciLabels(somePlan(), REVISION).labels).toEqual({
      'org.opencontainers.image.revision': SHA,
      'org.opencontainers.image.source': 'https://github.com/acme/demo',
      'org.opencontainers.image.created': '2023-11-14T22:13:20Z',
      'org.opencontainers.image.version': 'f3d46caf',
    });
  });

  it('lets the plan’s own labels win', () => {
    const plan = somePlan({ labels: { 'org.opencontainers.image.version': '7', mine: 'x' } });
    expect(withOciLabels(plan, REVISION).labels).toMatchObject({ 'org.opencontainers.image.version': '7', mine: 'x' });
  });

  it('says that uncommitted files are in it', () => {
    const { labels } = withOciLabels(somePlan(), { ...REVISION, dirty: true });
    expect(labels['org.opencontainers.image.revision']).toBe(`${SHA}-dirty`);
  });

  it('names the test merge that was built, and the pull request’s head', () => {
    const { labels } = withOciLabels(somePlan(), { ...REVISION, mergeSha: MERGE });
    expect(labels).toMatchObject({
      'org.opencontainers.image.revision': MERGE,
      'slipway.pull-request.head': SHA,
    });
  });

  it('leaves out what is not known', () => {
    const unknown = { ...REVISION, sha: undefined, committedAt: undefined, repositoryUrl: undefined };
    expect(withOciLabels(somePlan(), unknown).labels).toEqual({ 'org.opencontainers.image.version': 'f3d46caf' });
  });
});
