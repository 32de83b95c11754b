import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { DeploymentRecord, openPrefectApi, ScheduleRecord } from '@slipway/prefect/client';
import { readSettings } from '@slipway/prefect/settings';
import { describe, expect, it } from 'vitest';
import type { Log } from '../world.ts';
import { apply } from './apply.ts';
import { type Change, type DeploymentFields, type DesiredDeployment, deploymentName, type Plan } from './model.ts';
import type { SchedulePlan } from './schedules/model.ts';

const where = { file: 'prefect.yaml', line: 4, column: 3 };
const fields: DeploymentFields = {
  version: null,
  description: null,
  tags: [],
  entrypoint: 'f.py:f',
  parameters: {},
  parameter_openapi_schema: {},
  job_variables: {},
  pull_steps: [],
  work_pool_name: 'k',
  work_queue_name: null,
};

function desired(name: string): DesiredDeployment {
  return { name: deploymentName('f', name), flowName: 'f', deploymentName: name, fields, where, positions: new Map() };
}

const silent: Log = {
  info: () => undefined,
  debug: () => undefined,
  warning: () => undefined,
  group: (_title, body) => body(),
  mask: () => undefined,
  redact: (text) => text,
};

/** Applies a plan to a server that refuses what a test names: no real one can be made to refuse just one write. */
async function applied(plan: Plan, refuse: (path: string, body: { name?: string }) => boolean, status = 422) {
  const paths: string[] = [];
  const logged: string[] = [];
  const log: Log = { ...silent, info: (line) => logged.push(line) };
  const server = createServer((request, response) => {
    let text = '';
    request.on('data', (chunk) => {
      text += chunk;
    });
    request.on('end', () => {
      const path = (request.url ?? '').replace('/api', '');
      const body = (text === '' ? {} : JSON.parse(text)) as { name?: string };
      const off = path.startsWith('/csrf-token');
      if (!off) paths.push(`${request.method} ${path}`);
      const refused = !off && refuse(path, body);
      response.writeHead(off ? 422 : refused ? status : request.method === 'PATCH' ? 200 : 201, {
        'content-type': 'application/json',
      });
      response.end(
        off
          ? '{"detail":"CSRF protection is disabled."}'
          : refused
            ? '{"detail":"no such thing"}'
            : JSON.stringify({ id: `id-${body.name}`, name: body.name, flow_id: 'id-f', type: 'kubernetes' }),
      );
    });
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/api`;
  const api = openPrefectApi(readSettings({ PREFECT_API_URL: url }), {
    clock: { now: Date.now, sleep: async () => undefined },
    random: () => 0.5,
    log: silent,
    product: 'test',
  });
  try {
    return { ...(await apply(plan, api, log, AbortSignal.timeout(10_000))), paths, logged };
  } finally {
    await api.close();
    server.closeAllConnections();
    server.close();
  }
}

const create = (...names: string[]): Plan => ({
  workPools: [{ action: 'create', name: 'k', where, type: 'kubernetes', body: {}, queues: [] }],
  deployments: names.map((name) => ({ action: 'create', desired: desired(name) })),
  automations: [],
  slas: [],
});

describe('applying a plan', () => {
  it('writes the pool, the flow once, then the deployments', async () => {
    const { paths, deployments, failures, logged } = await applied(create('a', 'b'), () => false);
    expect(paths).toEqual(['POST /work_pools/', 'POST /flows/', 'POST /deployments/', 'POST /deployments/']);
    expect(deployments.map(({ name, id, action }) => ({ name, id, action }))).toEqual([
      { name: 'f/a', id: 'id-a', action: 'create' },
      { name: 'f/b', id: 'id-b', action: 'create' },
    ]);
    expect(failures).toEqual([]);
    expect(logged).toEqual(['created work pool k', 'created f/a', 'created f/b']);
  });

  it('goes on after a write that failed, and says which and why', async () => {
    const { deployments, failures } = await applied(create('a', 'b', 'c'), (_path, body) => body.name === 'b');
    expect(deployments.map(({ name }) => name)).toEqual(['f/a', 'f/c']);
    expect(failures).toEqual([{ what: 'deployment f/b', where, reason: 'no such thing' }]);
  });

  it('does not write a deployment whose flow could not be registered', async () => {
    const { paths, deployments, failures } = await applied(create('a'), (path) => path === '/flows/');
    expect(paths).not.toContain('POST /deployments/');
    expect(deployments).toEqual([]);
    expect(failures.map(({ what }) => what)).toEqual(['flow f']);
  });

  it('makes a pool that a worker has just created what was planned', async () => {
    const { paths, failures } = await applied(create('a'), (path) => path === '/work_pools/', 409);
    expect(paths.slice(0, 2)).toEqual(['POST /work_pools/', 'PATCH /work_pools/k']);
    expect(failures).toEqual([]);
  });

  describe('with schedules', () => {
    const change = (schedules: SchedulePlan, changes: Change[] = []): Plan => ({
      ...create(),
      workPools: [],
      deployments: [{ action: 'change', desired: desired('a'), actual: record, changes, schedules }],
    });
    const record = DeploymentRecord.parse({ id: 'id-a', name: 'a', flow_id: 'id-f' });
    const actual = ScheduleRecord.parse({ id: 'gone', schedule: { cron: '@daily' } });
    const writes = [
      { action: 'change', name: 'n', id: 's', body: { parameters: {} }, changes: [] },
      { action: 'remove', name: 'o', actual },
    ] as const;

    it('changes and removes them one by one, after the deployment’s own fields', async () => {
      const tags = { field: 'tags', before: ['a'], after: [] };
      const singly = ['PATCH /deployments/id-a/schedules/s', 'DELETE /deployments/id-a/schedules/gone'];
      expect((await applied(change({ how: 'singly', writes }), () => false)).paths).toEqual(singly);
      const { paths } = await applied(change({ how: 'singly', writes }, [tags]), () => false);
      expect(paths).toEqual(['PATCH /deployments/id-a', ...singly]);
    });

    it('takes one that is gone already for removed', async () => {
      const { failures } = await applied(change({ how: 'singly', writes }), (path) => path.endsWith('/gone'), 404);
      expect(failures).toEqual([]);
    });

    it('writes them together with the fields', async () => {
      const { paths } = await applied(change({ how: 'together', writes: [], list: [{ parameters: {} }] }), () => false);
      expect(paths).toEqual(['PATCH /deployments/id-a']);
    });
  });

  it('writes nothing when nothing has changed', async () => {
    const { paths } = await applied(
      { ...create(), workPools: [{ action: 'unchanged', name: 'k', where }] },
      () => false,
    );
    expect(paths).toEqual([]);
  });
});
