import { randomUUID } from 'node:crypto';
import {
  createDeployment,
  createFlow,
  createFlowRun,
  createWorkPool,
  type PrefectApi,
  readFlowRun,
  readFlowRunStates,
  readScheduledRuns,
  setFlowRunState,
} from '@slipway/prefect/client';
import type { StateType } from '@slipway/prefect/states';
import { defaultKubernetesTemplate } from '@slipway/prefect/workpool';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { type ClaimServices, claimRun } from '../../worker/src/claim/claim.ts';
import type { DueRun } from '../../worker/src/claim/model.ts';
import { flowRunId, scheduledStateId } from '../../worker/src/ids.ts';
import { testWorld } from '../../worker/src/testing/world.ts';
import { openRigPrefect, soon } from './prefect.ts';

describe('a claim that comes late, when the run has', () => {
  let api: PrefectApi;
  beforeAll(() => {
    api = openRigPrefect(inject('rig').prefectApiUrl);
  });
  afterAll(() => api.close());

  /** A run as a worker polled it, before somebody else took it through these states. */
  async function polledThen(pool: string, ...types: StateType[]): Promise<DueRun> {
    await createWorkPool(api, { name: pool, type: 'kubernetes', base_job_template: defaultKubernetesTemplate }, soon());
    const flow = await createFlow(api, 'late-claim', soon());
    const deployment = await createDeployment(api, { name: pool, flow_id: flow.id, work_pool_name: pool }, soon());
    await createFlowRun(api, deployment.id, { parameters: {}, idempotency_key: pool }, soon());
    const wanted = { queueNames: [], scheduledBefore: new Date(Date.now() + 60_000), limit: 1 };
    const [found] = await readScheduledRuns(api, pool, wanted, soon());
    if (found?.flow_run.state_id === undefined) throw new Error('the run is not due');
    const { flow_run: run } = found;
    for (const type of types) await setFlowRunState(api, run.id, { type }, { signal: soon() });
    return { id: flowRunId(run.id), scheduledState: scheduledStateId(run.state_id ?? ''), run, polledAt: Date.now() };
  }

  const services: ClaimServices = {
    begin(run) {
      const transitionId = randomUUID();
      return { transitionId, answer: services.propose(run, { type: 'PENDING', name: 'Pending', transitionId }) };
    },
    propose: (run, proposal, options) =>
      setFlowRunState(api, run, proposal, { ...options, once: true, signal: soon() }),
    currentState: async (run, signal) => (await readFlowRun(api, run, signal)).state ?? undefined,
    states: (run, signal) => readFlowRunStates(api, run, signal),
    catalog: { deployment: async () => undefined, flow: async () => undefined },
    tellRun: () => undefined,
  };
  const claim = (due: DueRun) => claimRun(due, services, testWorld(), soon());

  it.each<[string, StateType]>([
    ['completed', 'COMPLETED'],
    ['failed', 'FAILED'],
    ['crashed', 'CRASHED'],
  ])('%s meanwhile, leaves it so', async (name, final) => {
    const due = await polledThen(`late-${name}`, 'PENDING', 'RUNNING', final);
    expect(await claim(due)).toMatchObject({ won: false, why: 'lost', reason: expect.stringContaining('had ended') });
    expect((await readFlowRun(api, due.id, soon())).state_type).toBe(final);
    // The server had accepted it: without the second look the run would be Pending for ever.
    const states = (await readFlowRunStates(api, due.id, soon())).map((state) => state.type);
    expect(states.slice(-3)).toEqual([final, 'PENDING', final]);
  });

  it.each<[string, StateType[]]>([
    ['been claimed', ['PENDING']],
    ['begun to run', ['PENDING', 'RUNNING']],
    ['been cancelled', ['CANCELLED']],
  ])('%s, is refused by the server', async (name, types) => {
    const due = await polledThen(`late-${name.replaceAll(' ', '-')}`, ...types);
    expect(await claim(due)).toMatchObject({ won: false, why: 'lost' });
    expect((await readFlowRun(api, due.id, soon())).state_type).toBe(types.at(-1));
  });
});
