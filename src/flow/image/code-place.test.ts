import type { Json, JsonObject } from '@slipway/prefect/json';
import { describe, expect, it } from 'vitest';
import { somePlan } from '../../image/testing-plan.ts';
import { codePlace } from './code-place.ts';

const OURS = {
  plan: somePlan({}),
  image: 'localhost:5000/hello:abc',
  imageRef: 'localhost:5000/hello@sha256:1',
  digest: 'sha256:1',
  seconds: 1,
};
const LOCAL = { ...OURS, image: 'hello:abc', imageRef: undefined, digest: undefined };

const goTo = (directory: Json): JsonObject => ({ 'prefect.deployments.steps.set_working_directory': { directory } });
const clone: JsonObject = { 'prefect.deployments.steps.git_clone': { repository: 'https://github.com/a/b' } };
const install: JsonObject = { 'prefect.deployments.steps.pip_install_requirements': {} };

describe('a deployment’s code', () => {
  it.each<[string, Parameters<typeof codePlace>, JsonObject]>([
    ['the image of this run', [OURS.imageRef, [], [OURS]], { image: OURS.imageRef, isOurs: true, directories: [] }],
    ['an image that was not pushed', ['hello:abc', [], [LOCAL]], { image: 'hello:abc', isOurs: true, directories: [] }],
    ['the only image of this run', [undefined, [], [OURS]], { image: OURS.imageRef, isOurs: true, directories: [] }],
    ['another image', ['acme/etl:1', [], [OURS]], { image: 'acme/etl:1', isOurs: false, directories: [] }],
    [
      'the directory of the pull step',
      ['acme/etl:1', [goTo('/opt/prefect/etl')], []],
      { image: 'acme/etl:1', isOurs: false, directories: ['/opt/prefect/etl'] },
    ],
    [
      'one directory below another',
      ['acme/etl:1', [goTo('/opt'), install, goTo('etl')], []],
      { image: 'acme/etl:1', isOurs: false, directories: ['/opt', 'etl'] },
    ],
  ])('lies in %s', (_name, asked, expected) => {
    expect(codePlace(...asked)).toEqual({ kind: 'image', ...expected });
  });

  it.each<[string, Parameters<typeof codePlace>, string]>([
    ['no image is named', [undefined, [], []], 'is in no image of its own'],
    ['there are two images', [undefined, [], [OURS, LOCAL]], 'is in no image of its own'],
    ['the image is empty', ['', [], []], 'is in no image of its own'],
    [
      'a pull step fetches it',
      ['acme/etl:1', [clone], []],
      'comes with the pull step prefect.deployments.steps.git_clone',
    ],
    ['the image is a template', ['acme/{{ ctx.flow.name }}', [], []], 'is in an image that only the worker knows'],
    ['the directory is a template', ['acme/etl:1', [goTo('{{ clone.directory }}')], []], 'is in a directory'],
    ['the directory is no text', ['acme/etl:1', [goTo(1)], []], 'is in a directory that only the worker knows'],
  ])('lies elsewhere when %s', (_name, asked, why) => {
    const place = codePlace(...asked);
    expect(place.kind === 'elsewhere' ? place.why : place).toContain(why);
  });
});
