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

describe('job variables', () => {
  it('are checked by the template of their pool, as far as they are known', async () => {
    const text = project('name: k, job_variables: {cpu: much, image: "{{ build.image }}"}');
    expect(await refused(text)).toEqual([
      '2:73 deployment d0: job variable cpu is a string, but must be an integer or null',
    ]);
  });
});
