import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, inject, it } from 'vitest';
import type { PasswordRegistry } from '../clouds/passwords.ts';
import { openSetting, type Setting } from '../clouds/setting.ts';
import type { Sky } from '../clouds/sky.ts';
import { type JobOptions, openWorkflow, type Workflow } from '../clouds/workflow.ts';
import type { StepResult } from '../journey/runner.ts';

/** The action, real buildx and BuildKit and a real registry, among clouds that are played under their own names. */
describe('a push to a cloud’s registry', () => {
  const rig = inject('rig');
  let setting: Setting;
  let workflow: Workflow;
  let sky: Sky;
  let results: StepResult[];

  beforeAll(async () => {
    setting = await openSetting(rig.prefectApiUrl);
    workflow = await openWorkflow(setting);
  });
  afterAll(async () => {
    await workflow?.remove();
    await setting?.close();
  });
  beforeEach(async () => {
    results = [];
    sky = await setting.openSky();
  });
  afterEach(() => {
    for (const result of results) expect(secretsIn(result)).toEqual([]);
  });

  describe('with a user’s password', () => {
    it.each<[string, (sky: Sky) => PasswordRegistry, string]>([
      ['GitHub’s', (sky) => sky.ghcr, 'acme/hello'],
      ['Docker Hub', (sky) => sky.dockerHub, 'acme/hello'],
      ['one that wants Basic', (sky) => sky.basic, 'team/hello'],
      ['one that wants a token', (sky) => sky.bearer, 'team/hello'],
    ])('reaches %s', async (_name, of, path) => {
      const { host, username, password } = of(sky);
      const result = await push(`${host}/${path}:one`, {
        inputs: { 'registry-username': username, 'registry-password': password },
      });
      await expectPushed(result, path);
    });
  });

  async function push(image: string, job: JobOptions = {}): Promise<StepResult> {
    const result = await workflow.push(image, job);
    results.push(result);
    return result;
  }

  /** The outputs name the manifest that the registry has. */
  async function expectPushed(result: StepResult, path: string): Promise<void> {
    expect(result.exitCode, result.log).toBe(0);
    expect(result.outputs.digest).toMatch(/^sha256:[0-9a-f]{64}$/);
    const manifest = await fetch(`http://${setting.registry}/v2/${path}/manifests/${result.outputs.digest}`, {
      headers: {
        accept: 'application/vnd.oci.image.manifest.v1+json, application/vnd.docker.distribution.manifest.v2+json',
      },
    });
    expect(manifest.status).toBe(200);
    expect(result.leftovers).toEqual([]);
    expect(setting.server.seen.filter(({ status }) => status === 421)).toEqual([]);
  }

  /** Where a secret stands in what the action wrote: all but the lines that tell the runner to mask it. */
  function secretsIn(result: StepResult): string[] {
    const log = result.log
      .split('\n')
      .filter((line) => !line.startsWith('::add-mask::'))
      .join('\n');
    const written = {
      log,
      ...result.files,
      outputs: JSON.stringify(result.outputs),
      state: JSON.stringify(result.state),
    };
    return Object.entries(written).flatMap(([place, text]) =>
      setting.minted.all().flatMap((secret) => (text.includes(secret) ? [`${secret.slice(0, 12)}… in ${place}`] : [])),
    );
  }
});
