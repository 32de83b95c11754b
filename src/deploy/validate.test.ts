import { WorkPoolRecord } from '@slipway/prefect/client';
import type { JsonObject } from '@slipway/prefect/json';
import { describe, expect, it } from 'vitest';
import { projectFrom } from '../project/testing-project.ts';
import { configure } from './configuration.ts';
import type { ActualWorkPools, PlannedWorkPool } from './model.ts';
import { checkStatically } from './validate.ts';

const TEMPLATE = {
  job_configuration: { image: '{{ image }}', cpu: '{{ cpu }}' },
  variables: { type: 'object', properties: { image: { type: 'string' }, cpu: { type: 'integer' } } },
};

/** What is refused of a prefect.yaml before a step runs, as `line:column message`. */
async function refused(
  text: string,
  pools: JsonObject = { k: 'kubernetes' },
  planned: readonly PlannedWorkPool[] = [],
) {
  const { entries } = await projectFrom(text);
  const none = async () => undefined;
  const configurations = await configure(entries, {
    readers: { readBlockDocument: none, readBlockDocumentById: none, readVariable: none },
    env: {},
    onSecret: () => undefined,
    defaultWorkPoolName: undefined,
  });
  const actual: ActualWorkPools = {
    workPools: new Map(
      Object.entries(pools).map(([name, type]) => [
        name,
        { pool: WorkPoolRecord.parse({ id: name, name, type, base_job_template: TEMPLATE }), queues: [] },
      ]),
    ),
    defaultTemplates: new Map(),
  };
  return checkStatically(configurations, actual, planned).map(
    ({ message, where }) => `${where?.line}:${where?.column} ${message}`,
  );
}

const entry = (name: string, pool: string) => `- {name: ${name}, entrypoint: "f.py:f", work_pool: {${pool}}}\n`;
const project = (...pools: string[]) =>
  `deployments:\n${pools.map((pool, index) => entry(`d${index}`, pool)).join('')}`;

describe('a work pool that a deployment names', () => {
  it('may be there, come with this deploy, or come out of a step', async () => {
    const text = project('name: k', 'name: new', 'name: "{{ step.pool }}"');
    const body = { name: 'new', type: 'kubernetes', base_job_template: TEMPLATE };
    const where = { file: 'prefect.yaml', line: 1, column: 1 };
    const created: PlannedWorkPool = { action: 'create', name: 'new', where, type: 'kubernetes', body, queues: [] };
    expect(await refused(text, { k: 'kubernetes' }, [created])).toEqual([]);
  });

  it('of type prefect-agent is refused', async () => {
    expect(await refused(project('name: old'), { old: 'prefect-agent' })).toEqual([
      '2:48 work pool old is of type prefect-agent, which Prefect no longer has (deployment d0)',
    ]);
  });

  it('that is not there is refused once, with all who name it', async () => {
    expect(await refused(project('name: gone', 'name: k', 'name: gone'))).toEqual([
      '2:48 there is no work pool gone (deployments d0, d2)',
    ]);
  });
});

describe('what a server refuses of a deployment', () => {
  const withLines = (...lines: string[]) =>
    ['deployments:', '- name: d', '  entrypoint: f.py:f', ...lines.map((line) => `  ${line}`)].join('\n');

  it.each<[string, string[], string[]]>([
    [
      'a limit of 0',
      ['work_pool: {name: k}', 'concurrency_limit: 0'],
      ['5:3 deployment d: concurrency_limit is 0, but must be 1 or more'],
    ],
    [
      'all that is wrong with a limit',
      ['work_pool: {name: k}', 'concurrency_limit: {limit: -1, collision_strategy: WAIT, grace_period_seconds: 5}'],
      [
        '5:23 deployment d: concurrency_limit.limit is -1, but must be 1 or more',
        '5:34 deployment d: concurrency_limit.collision_strategy is "WAIT", which Prefect does not know',
        '5:60 deployment d: concurrency_limit.grace_period_seconds is 5, but must be from 60 to 86400',
      ],
    ],
    [
      'the name of a queue',
      ['work_pool: {name: k, work_queue_name: a/b}'],
      ['4:24 deployment d: "a/b" cannot be the name of a work queue'],
    ],
  ])('is told at its place: %s', async (_what, lines, problems) => {
    expect(await refused(withLines(...lines))).toEqual(problems);
  });

  it('is not what it takes', async () => {
    const limit = 'concurrency_limit: {limit: 1, collision_strategy: "{{ x.stdout }}", grace_period_seconds: 60}';
    expect(await refused(withLines('work_pool: {name: k, work_queue_name: "a b"}', limit))).toEqual([]);
    expect(await refused(withLines('work_pool: {name: k}', 'concurrency_limit: null'))).toEqual([]);
  });
});

describe('job variables', () => {
  it('are checked by the template of their pool, as far as they are known', async () => {
    const text = project('name: k, job_variables: {cpu: much, image: "{{ build.image }}"}');
    expect(await refused(text)).toEqual([
      '2:73 deployment d0: job variable cpu is a string, but must be an integer or null',
    ]);
  });
});
