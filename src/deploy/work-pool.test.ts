import { WorkPoolRecord, WorkQueueRecord } from '@slipway/prefect/client';
import type { JsonObject } from '@slipway/prefect/json';
import { customizeTemplate, defaultKubernetesTemplate } from '@slipway/prefect/workpool';
import { describe, expect, it } from 'vitest';
import { problemsOf } from '../problem.ts';
import type { WorkPoolEntry } from '../project/model.ts';
import type { Actual } from './model.ts';
import { planWorkPool } from './work-pool.ts';

const where = { file: 'prefect.yaml', line: 3, column: 3 };
const patchPlace = { file: 'prefect.yaml', line: 9, column: 5 };

function entry(changed: Partial<WorkPoolEntry> = {}): WorkPoolEntry {
  return { name: 'k', type: 'kubernetes', where, positions: new Map([['patch', patchPlace]]), ...changed };
}

function actual(pool?: JsonObject, queues: JsonObject[] = []): Actual {
  const record = pool && {
    pool: WorkPoolRecord.parse({ id: '1', name: 'k', type: 'kubernetes', ...pool }),
    queues: queues.map((queue) => WorkQueueRecord.parse({ id: '1', ...queue })),
  };
  return {
    workPools: new Map(record === undefined ? [] : [['k', record]]),
    deployments: new Map(),
    automations: [],
    defaultTemplates: new Map([['kubernetes', defaultKubernetesTemplate]]),
  };
}

const plan = (wanted: WorkPoolEntry, server: Actual, template?: JsonObject) =>
  planWorkPool({ name: wanted.name, entry: wanted, template }, server);

describe('a work pool of prefect.yaml', () => {
  it('that is new is created with the worker’s own template', () => {
    expect(plan(entry({ concurrency_limit: 5 }), actual())).toEqual({
      action: 'create',
      name: 'k',
      where,
      type: 'kubernetes',
      body: { name: 'k', type: 'kubernetes', concurrency_limit: 5, base_job_template: defaultKubernetesTemplate },
      queues: [],
    });
  });

  it('that is new gets its variables and patch', () => {
    const wanted = entry({
      variables: { namespace: 'flows' },
      patch: [{ op: 'add', path: '/job_configuration/job_manifest/spec/template/spec/hostNetwork', value: true }],
    });
    expect(plan(wanted, actual())).toMatchObject({
      body: {
        base_job_template: {
          variables: { properties: { namespace: { default: 'flows' } } },
          job_configuration: { job_manifest: { spec: { template: { spec: { hostNetwork: true } } } } },
        },
      },
    });
  });

  it('leaves the template of an existing pool alone when it says nothing of it', () => {
    const server = actual({ base_job_template: { job_configuration: { a: 1 }, variables: { properties: {}, x: 1 } } });
    expect(plan(entry(), server).action).toBe('unchanged');
  });

  it('fills an empty template of an existing pool', () => {
    expect(plan(entry(), actual({ base_job_template: {} }))).toMatchObject({
      action: 'change',
      body: { base_job_template: defaultKubernetesTemplate },
    });
  });

  it('is unchanged the second time, also when its patch adds to a list', () => {
    const wanted = entry({
      variables: { namespace: 'flows' },
      patch: [
        { op: 'add', path: '/job_configuration/job_manifest/spec/template/spec/tolerations', value: [] },
        { op: 'add', path: '/job_configuration/job_manifest/spec/template/spec/tolerations/-', value: { key: 'gpu' } },
      ],
    });
    const first = customizeTemplate(defaultKubernetesTemplate, {
      variables: wanted.variables ?? {},
      patch: [...(wanted.patch ?? [])],
    });
    expect(plan(wanted, actual({ base_job_template: first })).action).toBe('unchanged');
  });

  it('names the leaves of the template that change', () => {
    const server = actual({ base_job_template: defaultKubernetesTemplate, description: 'old' });
    const planned = plan(entry({ variables: { namespace: 'flows' }, description: 'new' }), server);
    expect(planned.action === 'change' && planned.changes).toEqual([
      { field: 'description', before: 'old', after: 'new' },
      { field: 'base_job_template.variables.properties.namespace.default', before: 'default', after: 'flows' },
    ]);
  });

  it('manages only what is written', () => {
    const server = actual({ base_job_template: defaultKubernetesTemplate, is_paused: true, concurrency_limit: 3 });
    expect(plan(entry(), server).action).toBe('unchanged');
    expect(plan(entry({ concurrency_limit: null }), server)).toMatchObject({ body: { concurrency_limit: null } });
  });

  it('creates and changes its queues', () => {
    const server = actual({ base_job_template: defaultKubernetesTemplate }, [{ name: 'high', priority: 2 }]);
    const wanted = entry({
      queues: [
        { name: 'high', priority: 1 },
        { name: 'low', priority: 9 },
      ],
    });
    expect(plan(wanted, server)).toMatchObject({
      action: 'change',
      body: {},
      queues: [
        { name: 'high', action: 'change', body: { priority: 1 } },
        { name: 'low', action: 'create', body: { name: 'low', priority: 9 } },
      ],
      changes: [
        { field: 'queues.high.priority', before: 2, after: 1 },
        { field: 'queues.low', before: undefined, after: { name: 'low', priority: 9 } },
      ],
    });
  });

  it.each<[string, WorkPoolEntry, Actual, string]>([
    ['another type', entry({ type: 'docker' }), actual({}), 'is of type kubernetes on the server'],
    ['an unknown variable', entry({ variables: { nmespace: 'x' } }), actual(), 'nmespace'],
    ['a default of the wrong kind', entry({ variables: { finished_job_ttl: 'soon' } }), actual(), 'finished_job_ttl'],
    [
      'a patch that leads nowhere',
      entry({ patch: [{ op: 'replace', path: '/nowhere', value: 1 }] }),
      actual(),
      '/nowhere',
    ],
    ['a name that is the server’s own', entry({ name: 'Prefect-pool' }), actual(), 'begin with "prefect"'],
    ['a name with a slash', entry({ name: 'a/b' }), actual(), '"a/b" cannot be the name of a work pool'],
    ['a blank name', entry({ name: ' ' }), actual(), '" " cannot be the name of a work pool'],
    ['a queue’s name with a slash', entry({ queues: [{ name: 'x/y' }] }), actual({}), '"x/y" cannot be the name'],
    ['a type without a known template', entry({ type: 'ecs' }), actual(), 'no default base job template'],
  ])('is refused with %s', (_name, wanted, server, message) => {
    let error: unknown;
    try {
      plan(wanted, server);
    } catch (one) {
      error = one;
    }
    expect(problemsOf(error)?.[0]?.message).toContain(message);
    expect(problemsOf(error)?.[0]?.where).toBeDefined();
  });
});
