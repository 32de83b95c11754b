import { readOnce } from '@slipway/prefect/template';
import { describe, expect, it } from 'vitest';
import { readEntryFlows } from '../flow/entry-flows.ts';
import { memoryFiles } from '../flow/memory-files.ts';
import { PythonSources } from '../flow/sources.ts';
import { projectFrom } from '../project/testing-project.ts';
import { readActual, readActualWorkPools } from './actual.ts';
import { configure } from './configuration.ts';
import { type Actual, type ActualWorkPools, deploymentName } from './model.ts';
import { desiredDeployment } from './testing-desired.ts';
import { written } from './testing-server.ts';
import { triggerSpec } from './trigger-spec.ts';

/** A project as it grows: 500 deployments of one file of flows, all with the same block and variable. */
const ENTRIES = 500;
const yaml = `deployments:
${Array.from(
  { length: ENTRIES },
  (_, index) => `- name: d${index}
  entrypoint: flows.py:hello
  parameters: {password: "{{ prefect.blocks.secret.s }}", region: "{{ prefect.variables.region }}"}
  work_pool: {name: pool-${index}}
`,
).join('')}`;

async function configured(reads: string[] = []) {
  const { entries } = await projectFrom(yaml);
  const readers = readOnce({
    readBlockDocument: async (slug, name) => {
      reads.push(`${slug}/${name}`);
      return { value: 'hunter2' };
    },
    readBlockDocumentById: async () => undefined,
    readVariable: async (name) => {
      reads.push(name);
      return 'eu';
    },
  });
  return await configure(entries, { readers, env: {}, onSecret: () => undefined, defaultWorkPoolName: undefined });
}

describe(`a project of ${ENTRIES} deployments`, () => {
  it('reads each block and variable once', async () => {
    const reads: string[] = [];
    const configurations = await configured(reads);
    expect(configurations.at(-1)?.settings.parameters).toEqual({ password: 'hunter2', region: 'eu' });
    expect(reads).toEqual(['secret/s', 'region']);
  });

  it('reads and parses a file of flows once', async () => {
    const reads: string[] = [];
    const memory = memoryFiles({ '/repo/flows.py': 'from prefect import flow\n@flow\ndef hello(): ...\n' });
    const files = {
      ...memory,
      readText: async (path: string) => {
        reads.push(path);
        return await memory.readText(path);
      },
    };
    const context = { directory: '/repo', workspace: '/repo', files, sources: new PythonSources(files) };
    const { flows, problems } = await readEntryFlows(await configured(), context);
    expect([flows.length, problems]).toEqual([ENTRIES, []]);
    expect(reads.filter((path) => path === '/repo/flows.py')).toHaveLength(1);
  });

  it('asks for its work pools 200 at a time, and for the queues of those that manage some', async () => {
    const names = (await configured()).map((one) => one.workPoolName);
    const where = { file: 'prefect.yaml', line: 1, column: 1 };
    const entry = { name: 'pool-7', type: undefined, queues: [{ name: 'high' }], where, positions: new Map() };
    let found: ActualWorkPools | undefined;
    const { received } = await written(
      async ({ api, signal }) => {
        const desired = [{ name: 'pool-7', entry, template: undefined }];
        found = await readActualWorkPools(desired, names, api, signal);
      },
      ({ path, body }) => {
        if (path !== '/work_pools/filter') return { status: 200, body: [] };
        const { limit, offset } = body as { limit: number; offset: number };
        const page = names.slice(offset, offset + limit);
        return {
          status: 200,
          body: page.map((name) => ({ id: name, name, type: 'kubernetes', base_job_template: { a: 1 } })),
        };
      },
    );
    expect(received.map(({ method, path }) => `${method} ${path}`)).toEqual([
      'POST /work_pools/filter',
      'POST /work_pools/filter',
      'POST /work_pools/filter',
      'POST /work_pools/pool-7/queues/filter',
    ]);
    expect(found?.workPools.size).toBe(ENTRIES);
  });
});

describe('automations', () => {
  const where = { file: 'prefect.yaml', line: 1, column: 1 };
  const triggers = [{ spec: triggerSpec.parse({ expect: ['x'] }), unknown: [], where }];

  it.each([
    ['are asked for before a first deployment with triggers, which a server may not know', triggers, undefined],
    ['are not asked for where nothing can have any', [], []],
  ])('%s', async (_name, automations, expected) => {
    let found: Actual['automations'] | 'unread' = 'unread';
    const of = { deployment: deploymentName('hello', 'd'), defaultName: 'd', workPoolName: 'k', where, automations };
    const desired = { workPools: [], deployments: [desiredDeployment()], automations: [of], slas: [] };
    await written(
      async ({ api, signal }) => {
        found = (await readActual(desired, { workPools: new Map(), defaultTemplates: new Map() }, api, signal))
          .automations;
      },
      ({ path }) => (path.startsWith('/automations') ? { status: 404 } : { status: 200, body: [] }),
    );
    expect(found).toEqual(expected);
  });
});
