import type { JsonObject } from '@slipway/prefect/json';
import { describe, expect, it } from 'vitest';
import type { Flow } from '../flow/model.ts';
import type { BuiltImage, ImagePlan } from '../image/model.ts';
import { problemsOf } from '../problem.ts';
import type { Entry } from '../project/model.ts';
import type { Revision } from '../source/model.ts';
import { configure } from './configuration.ts';
import { desiredDeployments } from './desired.ts';
import type { DesiredDeployment } from './model.ts';

const where = { file: 'prefect.yaml', line: 7, column: 3 };
const ENV = { TEAM: 'data', NUM: '42', OFF: 'no' };

const readers = {
  readBlockDocument: async (_type: string, name: string) => (name === 'token' ? { value: 'hunter2' } : undefined),
  readBlockDocumentById: async () => undefined,
  readVariable: async (name: string) => (name === 'settings' ? { a: [1, 2] } : undefined),
};

const flow: Flow = {
  entrypoint: 'flows.py:hello',
  name: 'hello',
  functionName: 'hello',
  description: 'Says {{ what }}.',
  version: undefined,
  parameters: { kind: 'exact', schema: { title: 'Parameters', type: 'object', properties: {} } },
};

const revision: Revision = {
  sha: '1234567890123456789012345678901234567890',
  shortSha: '1234567',
  branch: 'main',
  refName: 'main',
  dirty: false,
  committedAt: 0,
  message: 'm',
  repositoryUrl: undefined,
  repository: undefined,
  origin: 'HEAD',
};

const image: BuiltImage = {
  plan: { repository: 'localhost:5000/hello', tags: ['abc', 'latest'], push: true } as unknown as ImagePlan,
  image: 'localhost:5000/hello:abc',
  imageRef: 'localhost:5000/hello@sha256:1',
  digest: 'sha256:1',
  seconds: 1,
};

const OUTPUTS: JsonObject = {
  sha: { stdout: 'abc', stderr: '' },
  stdout: 'abc',
  'build-image': { image: 'localhost:5000/hello:abc', tag: 'abc', additional_tags: ['latest'] },
};

function entry(settings: JsonObject = {}, more: Partial<Entry> = {}): Entry {
  return {
    name: 'd',
    entrypoint: 'flows.py:hello',
    build: { kind: 'absent' },
    push: { kind: 'absent' },
    pull: { kind: 'absent' },
    settings: { work_pool: { name: 'k' }, ...settings },
    where,
    positions: new Map([['name', { ...where, column: 9 }]]),
    ...more,
  };
}

/** What an entry comes to once the steps above have run. */
async function desire(
  entries: readonly Entry[],
  options: { defaultPool?: string; pull?: JsonObject[]; images?: BuiltImage[] } = {},
) {
  const secrets: string[] = [];
  const configurations = await configure(entries, {
    readers,
    env: ENV,
    onSecret: (secret) => secrets.push(secret),
    defaultWorkPoolName: options.defaultPool,
  });
  const ready = configurations.map((configuration) => ({
    configuration,
    flow,
    prepared: {
      entry: configuration.entry,
      outputs: OUTPUTS,
      images: options.images ?? [image],
      pull: undefined,
      unknown: [],
    },
    pull: options.pull ?? [],
  }));
  return { deployments: desiredDeployments(ready, { env: ENV, revision }), secrets };
}

async function fieldsOf(
  settings: JsonObject,
  options: Parameters<typeof desire>[1] = {},
): Promise<DesiredDeployment['fields']> {
  const [only] = (await desire([entry(settings)], options)).deployments;
  if (only === undefined) throw new Error('nothing');
  return only.fields;
}

async function refusal(entries: readonly Entry[]): Promise<string | undefined> {
  try {
    await desire(entries);
  } catch (error) {
    return problemsOf(error)
      ?.map((problem) => problem.message)
      .join('; ');
  }
  return undefined;
}

describe('a deployment’s fields', () => {
  it.each<[string, JsonObject, keyof DesiredDeployment['fields'], unknown]>([
    [
      'tags that are whole placeholders of step outputs',
      { tags: ['{{ sha.stdout }}', 'x-{{ stdout }}'] },
      'tags',
      ['abc', 'x-abc'],
    ],
    ['tags as the list that a step gives', { tags: '{{ build-image.additional_tags }}' }, 'tags', ['latest']],
    ['tags without a value are dropped', { tags: ['{{ nothing.here }}', 'a', ' '] }, 'tags', ['a']],
    [
      'a variable with its type',
      { parameters: { p: '{{ prefect.variables.settings }}' } },
      'parameters',
      { p: { a: [1, 2] } },
    ],
    [
      'a missing variable as an empty text',
      { parameters: { p: '{{ prefect.variables.none }}' } },
      'parameters',
      { p: '' },
    ],
    ['an environment variable as text', { parameters: { p: '{{ $NUM }}' } }, 'parameters', { p: '42' }],
    [
      'templates of the worker stay',
      { parameters: { p: '{{ ctx.flow_run.id }}' } },
      'parameters',
      { p: '{{ ctx.flow_run.id }}' },
    ],
    [
      'templates of the worker in job variables',
      { work_pool: { name: 'k', job_variables: { name: '{{ ctx.flow_run.name }}' } } },
      'job_variables',
      { name: '{{ ctx.flow_run.name }}' },
    ],
    ['a pool named by the environment', { work_pool: { name: 'pool-{{ $TEAM }}' } }, 'work_pool_name', 'pool-data'],
    ['what has no value leaves its key out', { parameters: { p: '{{ nope.stdout }}', q: 1 } }, 'parameters', { q: 1 }],
    ['a written description', { description: 'D' }, 'description', 'D'],
    ['an empty description is none', { description: '' }, 'description', 'Says .'],
    ['the docstring as description, templated', {}, 'description', 'Says .'],
    ['a limit as a number', { concurrency_limit: 3 }, 'concurrency_limit', 3],
    [
      'a limit without a strategy',
      { concurrency_limit: { limit: 3 } },
      'concurrency_options',
      { collision_strategy: 'ENQUEUE' },
    ],
    ['no limit where none is written', {}, 'concurrency_limit', undefined],
    ['paused only where it is written', {}, 'paused', undefined],
    ['a queue', { work_pool: { name: 'k', work_queue_name: 'high' } }, 'work_queue_name', 'high'],
    ['a written version', { version: '1.2' }, 'version', '1.2'],
  ])('have %s', async (_name, settings, field, expected) => {
    expect((await fieldsOf(settings))[field]).toEqual(expected);
  });

  it.each([
    ['pinned when it is the image of this run', '{{ build-image.image }}', 'localhost:5000/hello@sha256:1'],
    ['pinned by any of its tags', 'localhost:5000/hello:latest', 'localhost:5000/hello@sha256:1'],
    ['as written when it is another', 'localhost:5000/other:abc', 'localhost:5000/other:abc'],
  ])('have an image %s', async (_name, written, expected) => {
    const fields = await fieldsOf({ work_pool: { name: 'k', job_variables: { image: written, cpu: 1 } } });
    expect(fields.job_variables).toEqual({ image: expected, cpu: 1 });
  });

  it('have an image whose digest is known at deploy while it is only planned', async () => {
    const planned = { ...image, imageRef: undefined, digest: undefined };
    const fields = await fieldsOf(
      { work_pool: { name: 'k', job_variables: { image: '{{ build-image.image }}' } } },
      { images: [planned] },
    );
    expect(fields.job_variables).toEqual({ image: 'localhost:5000/hello:abc (digest known at deploy)' });
  });

  it('have pull steps with outputs and set environment variables filled in, all else kept for the worker', async () => {
    const pull = [
      {
        'a.b': {
          tag: '{{ sha.stdout }}',
          team: '{{ $TEAM }}',
          unset: '{{ $UNSET }}',
          block: '{{ prefect.blocks.secret.x }}',
        },
      },
    ];
    expect((await fieldsOf({}, { pull })).pull_steps).toEqual([
      { 'a.b': { tag: 'abc', team: 'data', unset: '{{ $UNSET }}', block: '{{ prefect.blocks.secret.x }}' } },
    ]);
  });

  it('take the default pool where none is written', async () => {
    expect((await fieldsOf({ work_pool: null }, { defaultPool: 'default-pool' })).work_pool_name).toBe('default-pool');
    expect((await fieldsOf({}, { defaultPool: 'default-pool' })).work_pool_name).toBe('k');
  });
});

describe('schedules', () => {
  const schedulesOf = async (settings: JsonObject) => (await desire([entry(settings)])).deployments[0]?.schedules;

  it('have step outputs, environment and variables filled in', async () => {
    const item = {
      cron: '0 {{ nothing.here }}4 * * *',
      slug: 's-{{ sha.stdout }}',
      active: '{{ $OFF }}',
      parameters: { a: '{{ prefect.variables.settings }}', run: '{{ ctx.flow_run.id }}', n: '{{ $NUM }}' },
    };
    expect(await schedulesOf({ schedules: [item] })).toEqual([
      {
        times: { cron: '0 4 * * *', timezone: null, day_or: true },
        slug: 's-abc',
        active: false,
        parameters: { a: { a: [1, 2] }, n: '42' },
        where,
      },
    ]);
  });

  it('are active as ever when the step that decides says nothing', async () => {
    const [only] = (await schedulesOf({ schedules: [{ cron: '@daily', active: '{{ nope.stdout }}' }] })) ?? [];
    expect(only).not.toHaveProperty('active');
  });

  it('are not managed when none are written', async () => {
    expect(await schedulesOf({ schedules: [] })).toBeUndefined();
    expect(await schedulesOf({})).toBeUndefined();
  });

  it('are refused for what the steps made of them', async () => {
    expect(await refusal([entry({ schedules: [{ cron: '{{ sha.stdout }}' }, { interval: 'PT0S' }] })])).toMatch(
      /schedules\[0\]\.cron "abc" has 1 column.*; .*schedules\[1\]\.interval must be longer/,
    );
  });
});

describe('an entry', () => {
  it('has its block values told as secrets', async () => {
    const { secrets } = await desire([entry({ parameters: { token: '{{ prefect.blocks.secret.token }}' } })]);
    expect(secrets).toEqual(['hunter2']);
  });

  it('may have the environment in its name', async () => {
    const [named] = (await desire([entry({}, { name: '{{ $TEAM }}-{{ $UNSET }}x' })])).deployments;
    expect(named?.name).toBe('hello/data-x');
  });

  it('named after a file loses the ending', async () => {
    expect((await desire([entry({}, { name: 'etl.py' })])).deployments[0]?.name).toBe('hello/etl');
  });

  it.each<[string, Entry[], string]>([
    ['without a pool', [entry({ work_pool: null })], 'has no work_pool.name'],
    ['without a name', [entry({}, { name: undefined })], 'has no name'],
    ['without an entrypoint', [entry({}, { entrypoint: undefined })], 'has no entrypoint'],
    ['with a slash in its name', [entry({}, { name: 'a/b' })], '"a/b" cannot be the name'],
    ['with a character that no server takes in its name', [entry({}, { name: 'a&b' })], '"a&b" cannot be the name'],
    ['with a block that does not exist', [entry({ parameters: { p: '{{ prefect.blocks.secret.gone }}' } })], 'gone'],
    ['with tags that come to a mapping', [entry({ tags: '{{ sha }}' })], 'tags are neither a list nor a text'],
    ['with an unknown version type', [entry({ version_type: 'vcs:svn' })], 'unknown version type "vcs:svn"'],
    [
      'with a strategy that a step makes wrong',
      [entry({ concurrency_limit: { limit: 1, collision_strategy: '{{ sha.stdout }}' } })],
      'concurrency_limit.collision_strategy is "abc"',
    ],
    ['that another makes too', [entry(), entry()], 'two entries make the deployment hello/d'],
  ])('is refused %s', async (_name, entries, message) => {
    expect(await refusal(entries)).toContain(message);
  });
});
