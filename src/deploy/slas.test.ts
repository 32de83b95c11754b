import { describe, expect, it } from 'vitest';
import { projectFrom } from '../project/testing-project.ts';
import { configure } from './configuration.ts';
import type { ReadyEntry } from './desired.ts';
import { type DesiredDeployment, deploymentName } from './model.ts';
import { checkSlas, desiredSlas, type PlannedSlas, writeSlas } from './slas.ts';
import { written } from './testing-server.ts';

const where = { file: 'prefect.yaml', line: 5, column: 3 };

async function configured(sla: string) {
  const text = `deployments:\n- name: d\n  entrypoint: flows.py:f\n  work_pool: {name: k}\n  ${sla}\n`;
  const none = async () => undefined;
  return await configure((await projectFrom(text)).entries, {
    readers: { readBlockDocument: none, readBlockDocumentById: none, readVariable: none },
    env: {},
    onSecret: () => undefined,
    defaultWorkPoolName: undefined,
  });
}

async function desired(sla: string, outputs = {}) {
  const entries = (await configured(sla)).map(
    (configuration) => ({ configuration, prepared: { outputs } }) as unknown as ReadyEntry,
  );
  return desiredSlas(entries, [{ name: deploymentName('f', 'd') } as DesiredDeployment], {});
}

describe('SLAs', () => {
  it.each([
    ['sla: [{name: slow, duration: 60}]', 1],
    ['sla: []', 1],
    ['sla:', 0],
    ['description: none', 0],
  ])('on a server of one’s own: `%s` makes %i problem', async (sla, count) => {
    const problems = checkSlas(await configured(sla), false);
    expect(problems.map(({ where: place }) => place?.line)).toEqual(Array(count).fill(5));
    expect(checkSlas(await configured(sla), true)).toEqual([]);
  });

  it.each<[string, PlannedSlas['slas'][]]>([
    ['sla: []', [[]]],
    ['sla:', []],
    ['description: none', []],
  ])('`%s` asks for %j', async (sla, slas) => {
    expect((await desired(sla)).map((one) => one.slas)).toEqual(slas);
  });

  it('are filled in, durations in seconds, with only what is written', async () => {
    const sla =
      'sla: [{name: "{{ id.stdout }} late", within: PT10M, severity: high}, {name: stale, stale_after: 3600, enabled: no}]';
    const [one] = await desired(sla, { id: { stdout: 'very' } });
    expect(JSON.parse(JSON.stringify(one?.slas))).toEqual([
      { name: 'very late', within: 600, severity: 'high' },
      { name: 'stale', stale_after: 3600, enabled: false },
    ]);
  });

  it('without a name once it is filled in are refused', async () => {
    await expect(desired('sla: [{name: "{{ id.stdout }}", duration: 5}]')).rejects.toThrow('sla[0].name is no text');
  });

  it('go to Prefect Cloud as one list, which says what it did', async () => {
    const planned: PlannedSlas = {
      deployment: deploymentName('f', 'd'),
      where,
      slas: [{ name: 'slow', duration: 60 }],
    };
    const { received, logged, failures } = await written(
      (context) => writeSlas(planned, 'id-d', context),
      () => ({ status: 200, body: { created: [{ name: 'slow' }], updated: [], deleted: [{ name: 'old' }] } }),
      { PREFECT_API_KEY: 'pnu_key' },
    );
    expect(failures).toEqual([]);
    expect(received).toEqual([
      {
        method: 'POST',
        path: '/slas/apply-resource-slas/prefect.deployment.id-d',
        body: [{ name: 'slow', duration: 60, owner_resource: 'prefect.deployment.id-d' }],
        authorization: 'Bearer pnu_key',
      },
    ]);
    expect(logged).toEqual(['created SLA slow of f/d', 'deleted SLA old of f/d']);
  });

  it('that Prefect Cloud refuses are a failure of their own', async () => {
    const planned: PlannedSlas = { deployment: deploymentName('f', 'd'), where, slas: [] };
    const { failures } = await written(
      (context) => writeSlas(planned, 'id-d', context),
      () => ({ status: 403, body: { detail: 'not in your plan' } }),
      { PREFECT_API_KEY: 'pnu_key' },
    );
    expect(failures).toEqual([
      'SLAs of f/d: POST /slas/apply-resource-slas/prefect.deployment.id-d was answered 403: not in your plan',
    ]);
  });
});
