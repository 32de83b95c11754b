import { access, mkdtemp, readdir, readFile, realpath, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { JsonObject } from '@slipway/prefect/json';
import { onTestFinished } from 'vitest';
import { createExec } from '../exec.ts';
import type { BuiltImage, ImagePlan } from '../image/model.ts';
import type { StepSpec } from '../project/model.ts';
import { projectFrom } from '../project/testing-project.ts';
import { someRevision } from '../source/testing-revision.ts';
import type { World } from '../world.ts';
import { BuildQueue } from './build-queue.ts';
import type { PrepareContext, PushCredentials, StepRun } from './model.ts';

/** A directory that is removed when the test ends. */
export async function makeDirectory(prefix = 'slipway-test-'): Promise<string> {
  const directory = await realpath(await mkdtemp(join(tmpdir(), prefix)));
  onTestFinished(() => rm(directory, { recursive: true, force: true }));
  return directory;
}

export interface TestWorld extends World {
  /** Everything logged, in order, groups as `> title`. */
  readonly logged: string[];
  readonly masked: string[];
}

/** Real processes, real reading of files, new files only in temporary directories; a log that is kept. */
export function testWorld(
  env: Readonly<Record<string, string>> = {},
  signal = new AbortController().signal,
): TestWorld {
  const logged: string[] = [];
  const masked: string[] = [];
  const refuse = () => Promise.reject(new Error('nothing is written in this test'));
  const redact = (text: string) => masked.reduce((rest, secret) => rest.replaceAll(secret, '***'), text);
  return {
    env: { PATH: process.env.PATH ?? '', ...env },
    exec: createExec(),
    files: {
      readText: (path) => readFile(path, 'utf8'),
      exists: (path) =>
        access(path).then(
          () => true,
          () => false,
        ),
      list: (path) => readdir(path),
      makeTemporaryDirectory: makeDirectory,
      writeNew: (path, text) => writeFile(path, text, { flag: 'wx', mode: 0o600 }),
      symlink: refuse,
      remove: (path) => rm(path, { recursive: true, force: true }),
    },
    log: {
      info: (text) => logged.push(redact(text)),
      debug: (text) => logged.push(redact(text)),
      warning: (text) => logged.push(`warning: ${redact(text)}`),
      group: (title, body) => {
        logged.push(`> ${redact(title)}`);
        return body();
      },
      mask: (secret) => masked.push(secret),
      redact,
    },
    clock: { now: () => Date.UTC(2026, 7, 21, 5, 6, 7, 89), sleep: () => refuse() },
    random: () => 0.5,
    signal,
    logged,
    masked,
  };
}

export interface TestContext extends PrepareContext {
  readonly world: TestWorld;
  /** What was asked of the image builder. */
  readonly builds: { plan: ImagePlan; credentials: PushCredentials | undefined }[];
}

export interface TestSettings extends Partial<PrepareContext> {
  /** The text of prefect.yaml. */
  readonly text?: string;
  /** The project's directory. */
  readonly directory?: string;
  readonly env?: Readonly<Record<string, string>>;
}

/** A context whose images are never built but recorded; blocks and variables are none unless `readers` says otherwise. */
export async function testContext(settings: TestSettings = {}): Promise<TestContext> {
  const { text = '', directory, env, world: _world, ...more } = settings;
  const builds: TestContext['builds'] = [];
  const loaded = await projectFrom(text === '' ? 'deployments: []' : text);
  return {
    project: directory === undefined ? loaded : { ...loaded, directory },
    revision: someRevision({ repositoryUrl: undefined, repository: undefined }),
    mode: 'deploy',
    programEnv: {},
    readers: {
      readBlockDocument: async () => undefined,
      readBlockDocumentById: async () => undefined,
      readVariable: async () => undefined,
    },
    buildImage: async (plan, credentials): Promise<BuiltImage> => {
      builds.push({ plan, credentials });
      const digest = `sha256:${String(builds.length).padStart(64, '0')}`;
      const image = `${plan.repository}:${plan.tags[0]}`;
      const imageRef = plan.push ? `${plan.repository}@${digest}` : undefined;
      return { plan, image, imageRef, digest: plan.push ? digest : undefined, seconds: 1 };
    },
    ownImage: undefined,
    baseImage: 'prefecthq/prefect:3-latest',
    builder: undefined,
    dockerNamespace: undefined,
    ...more,
    world: testWorld(env),
    builds,
  };
}

/** One step of a function, ready to run with inputs that need no templating. */
export async function testRun(
  inputs: JsonObject,
  settings: TestSettings & { step?: Partial<StepSpec>; following?: readonly StepSpec[] } = {},
): Promise<StepRun & { readonly context: TestContext }> {
  const context = await testContext(settings);
  const functionName = settings.step?.function ?? 'prefect.deployments.steps.run_shell_script';
  const step: StepSpec = {
    function: functionName,
    inputs,
    id: undefined,
    requires: [],
    raw: { [functionName]: inputs },
    where: { file: 'prefect.yaml', line: 3, column: 3 },
    ...settings.step,
  };
  const [entry] = (await projectFrom('deployments: [{name: x}]')).entries;
  if (entry === undefined) throw new Error('no entry');
  return {
    context,
    entry,
    step,
    inputs,
    directory: context.project.directory,
    env: context.world.env,
    outputs: {},
    following: settings.following ?? [],
    pull: undefined,
    images: { built: new Map(), byName: new Map(), defaultTags: new Map(), queue: new BuildQueue(context.buildImage) },
    changedBy: undefined,
  };
}
