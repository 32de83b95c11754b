import { afterAll, afterEach, beforeAll, beforeEach, expect } from 'vitest';
import type { StepResult } from '../journey/runner.ts';
import { secretsIn, withoutMasks } from './secrets.ts';
import type { Seen } from './server.ts';
import { openSetting, type Setting } from './setting.ts';
import type { Sky } from './sky.ts';
import { type JobOptions, openWorkflow, type Workflow } from './workflow.ts';

/** What a test of a push among the clouds works with; fresh clouds for each test. */
export interface Scene {
  readonly sky: Sky;
  readonly setting: Setting;
  /** Runs the action to build `repository:tag` and push it. */
  push(image: string, job?: JobOptions): Promise<StepResult>;
  /** The same in another checkout, so at the same time. */
  pushElsewhere(image: string, job: JobOptions): Promise<StepResult>;
  /** The same as a job that has `id-token: write`. */
  pushKeyless(image: string, inputs: Readonly<Record<string, string>>): Promise<StepResult>;
  /** The step passed, its outputs name a manifest that the registry has, and it left nothing. */
  expectPushed(result: StepResult, path: string): Promise<void>;
  /** The requests to a host, oldest first. */
  requestsTo(host: string): readonly Seen[];
  /** All hosts that were asked, sorted. */
  hostsAsked(): readonly string[];
  /** The audiences that OIDC tokens were asked for. */
  audiences(): readonly (string | null)[];
}

const MANIFESTS = 'application/vnd.oci.image.manifest.v1+json, application/vnd.docker.distribution.manifest.v2+json';

/** Opens the scene for the tests of one describe block; after each, no secret stands in anything that was written, nor in docker's arguments. */
export function useScene(prefectApiUrl: string): Scene {
  let setting: Setting | undefined;
  let workflow: Workflow | undefined;
  let sky: Sky | undefined;
  let results: StepResult[] = [];
  beforeAll(async () => {
    setting = await openSetting(prefectApiUrl);
    workflow = await openWorkflow(setting);
  });
  afterAll(async () => {
    await workflow?.remove();
    await setting?.close();
  });
  beforeEach(async () => {
    results = [];
    sky = await setting?.openSky();
  });
  afterEach(() => {
    const secrets = scene.setting.minted.all();
    for (const { log, files } of results) expect(secretsIn({ ...files, log: withoutMasks(log) }, secrets)).toEqual([]);
    expect(secretsIn({ 'arguments of docker': scene.setting.dockerArguments() }, secrets)).toEqual([]);
  });

  const scene: Scene = {
    get sky() {
      return open(sky);
    },
    get setting() {
      return open(setting);
    },
    async push(image, job = {}) {
      const result = await open(workflow).push(image, job);
      results.push(result);
      return result;
    },
    async pushElsewhere(image, job) {
      const other = await openWorkflow(scene.setting);
      try {
        const result = await other.push(image, job);
        results.push(result);
        return result;
      } finally {
        await other.remove();
      }
    },
    pushKeyless: (image, inputs) => scene.push(image, { inputs, env: scene.sky.github.env }),
    async expectPushed(result, path) {
      expect(result.exitCode, result.log).toBe(0);
      expect(result.outputs.digest).toMatch(/^sha256:[0-9a-f]{64}$/);
      const url = `http://${scene.setting.registry}/v2/${path}/manifests/${result.outputs.digest}`;
      expect((await fetch(url, { headers: { accept: MANIFESTS } })).status).toBe(200);
      expect(result.leftovers).toEqual([]);
    },
    requestsTo: (host) => scene.setting.server.seen.filter((seen) => seen.host === host),
    hostsAsked: () => [...new Set(scene.setting.server.seen.map(({ host }) => host))].sort(),
    audiences: () =>
      scene.requestsTo('pipelines.actions.githubusercontent.com').map(({ query }) => query.get('audience')),
  };
  return scene;
}

function open<T>(value: T | undefined): T {
  if (value === undefined) throw new Error('the scene is open in tests alone');
  return value;
}
