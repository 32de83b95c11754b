import { randomUUID } from 'node:crypto';
import {
  type Orchestration,
  PrefectApiError,
  PrefectUnreachableError,
  type StateProposal,
} from '@slipway/prefect/client';
import type { State } from '@slipway/prefect/states';
import { describe, expect, it } from 'vitest';
import { claimId, flowRunId, scheduledStateId } from '../ids.ts';
import { testWorld } from '../testing/world.ts';
import { type ClaimServices, claimRun, readParts } from './claim.ts';
import type { DueRun } from './model.ts';

const due: DueRun = {
  id: flowRunId('run'),
  scheduledState: scheduledStateId('scheduled'),
  polledAt: 5,
  run: {
    id: 'run',
    name: 'busy-bee',
    flow_id: 'flow',
    deployment_id: 'deployment',
    tags: [],
    parameters: {},
    run_count: 0,
    total_run_time: 0,
  },
};
const flow = { id: 'flow', name: 'my-flow', tags: [] };
const deployment = { id: 'deployment', name: 'd', flow_id: 'flow', tags: [], parameters: {}, schedules: [] };
const unreachable = () => new PrefectUnreachableError('http://api', 1, new Error('reset'));
const refused = (status: number) => new PrefectApiError(status, 'POST', '/flow_runs/run/set_state', 'detail');
const pendingState: State = {
  id: 'pending',
  type: 'PENDING',
  name: 'Pending',
  state_details: { scheduled_time: '2026-11-24T12:00:00Z' },
};
const accept: Orchestration = { status: 'ACCEPT', state: pendingState };
const asPolled: State = { id: 'scheduled', type: 'SCHEDULED', name: 'Scheduled' };

interface Proposed extends StateProposal {
  readonly force?: boolean;
}

/** Services that give these answers to proposals, in order, the last one for ever; errors are thrown. */
function services(
  answers: readonly (Orchestration | Error | ((proposal: StateProposal) => Orchestration))[],
  more: Partial<ClaimServices> = {},
) {
  const proposed: Proposed[] = [];
  const told: string[] = [];
  const value: ClaimServices = {
    begin(run) {
      const transitionId = randomUUID();
      return { transitionId, answer: value.propose(run, { type: 'PENDING', name: 'Pending', transitionId }) };
    },
    async propose(_run, proposal, options) {
      const answer = answers[Math.min(proposed.length, answers.length - 1)];
      proposed.push({ ...proposal, ...options });
      if (answer instanceof Error) throw answer;
      if (answer === undefined) throw new Error('no answer planned');
      return typeof answer === 'function' ? answer(proposal) : answer;
    },
    currentState: async () => asPolled,
    states: async () => [],
    catalog: {
      deployment: async () => ({ ...deployment, paused: false, enforce_parameter_schema: false }),
      flow: async () => flow,
    },
    tellRun: (_run, _level, message) => told.push(message),
    ...more,
  };
  return { value, proposed, told };
}
const never = new AbortController().signal;

describe('a claim', () => {
  it('is won with what the Job is made from', async () => {
    const { value, proposed } = services([accept]);
    expect(await claimRun(due, value, testWorld(), never)).toMatchObject({ won: true, id: 'run', flow, deployment });
    expect(proposed).toMatchObject([{ type: 'PENDING', name: 'Pending' }]);
  });

  it('is known by the id that the server keeps with the Pending state, for whoever takes it up', async () => {
    const { value, proposed } = services([accept]);
    const claim = await claimRun(due, value, testWorld(), never);
    expect(claim).toMatchObject({ claimId: proposed[0]?.transitionId });
  });

  it('uses one transition id for all tries, so that a lost answer is recognised', async () => {
    const ours = (proposal: StateProposal): Orchestration => ({
      status: 'REJECT',
      reason: '',
      state: {
        id: 's',
        type: 'PENDING',
        name: 'Pending',
        state_details: { transition_id: proposal.transitionId ?? null },
      },
    });
    const { value, proposed } = services([unreachable(), refused(503), refused(429), ours]);
    expect(await claimRun(due, value, testWorld(), never)).toMatchObject({ won: true });
    expect(proposed).toHaveLength(4);
    expect(new Set(proposed.map((one) => one.transitionId)).size).toBe(1);
    expect(proposed[0]?.transitionId).toMatch(/^[0-9a-f-]{36}$/);
  });

  it('waits as the server asks, a few times', async () => {
    const wait: Orchestration = { status: 'WAIT', reason: 'busy', delaySeconds: 3 };
    const world = testWorld();
    const { value } = services([wait, wait, accept]);
    expect(await claimRun(due, value, world, never)).toMatchObject({ won: true });
    expect(world.slept).toEqual([3_000, 3_000]);
    expect(await claimRun(due, services([wait]).value, testWorld(), never)).toMatchObject({
      won: false,
      why: 'lost',
      reason: 'the server keeps it waiting: busy',
    });
  });

  it('that is lost is told in the run’s own log', async () => {
    const { value, told } = services([{ status: 'ABORT', reason: 'somebody else' }]);
    expect(await claimRun(due, value, testWorld(), never)).toMatchObject({ won: false, why: 'lost' });
    expect(told).toEqual(["Aborted submission of flow run 'run': somebody else"]);
  });

  it.each([
    [404, 'run-gone'],
    [401, 'unavailable'],
    [403, 'unavailable'],
    [422, 'unavailable'],
  ])('answered %i is given up: %s', async (status, why) => {
    const { value, proposed } = services([refused(status)]);
    expect(await claimRun(due, value, testWorld(), never)).toMatchObject({ won: false, why });
    expect(proposed).toHaveLength(1);
  });

  it('that has no definite answer is looked at, and proposed alone when the run is as it was polled', async () => {
    const begin = () => ({ transitionId: 'shared', answer: Promise.resolve(undefined) });
    const alone = services([accept], { begin });
    expect(await claimRun(due, alone.value, testWorld(), never)).toMatchObject({ won: true, claimId: 'shared' });
    expect(alone.proposed).toMatchObject([{ transitionId: 'shared' }]);

    const ours: State = { ...pendingState, state_details: { transition_id: 'shared' } };
    const won = services([], { begin, currentState: async () => ours });
    expect(await claimRun(due, won.value, testWorld(), never)).toMatchObject({ won: true, claimId: 'shared' });

    const lost = services([], { begin, currentState: async () => ({ ...ours, state_details: {} }) });
    expect(await claimRun(due, lost.value, testWorld(), never)).toMatchObject({ won: false, why: 'lost' });
  });

  it('that was not sent before the worker had to stop is not looked at', async () => {
    const stop = new AbortController();
    stop.abort(new Error('the grace is over'));
    const begin = () => ({ transitionId: 'shared', answer: Promise.reject(stop.signal.reason) });
    const currentState = async () => {
      throw new Error('asked');
    };
    const { value } = services([], { begin, currentState });
    await expect(claimRun(due, value, testWorld(), stop.signal)).rejects.toThrow('the grace is over');
  });

  it('is repeated only while the run is as it was polled', async () => {
    const ended = async (): Promise<State> => ({ id: 's', type: 'COMPLETED', name: 'Completed' });
    const { value, proposed } = services([refused(503), accept], { currentState: ended });
    expect(await claimRun(due, value, testWorld(), never)).toMatchObject({
      won: false,
      why: 'lost',
      reason: 'it is Completed by now',
    });
    expect(proposed).toHaveLength(1);
  });

  it('waits as long as the server asks before it is repeated', async () => {
    const throttled = new PrefectApiError(429, 'POST', '/flow_runs/run/set_state', '', 7_000);
    const world = testWorld();
    expect(await claimRun(due, services([throttled, accept]).value, world, never)).toMatchObject({ won: true });
    expect(world.slept).toEqual([7_000]);
  });

  describe('accepted without a sign of a Scheduled state', () => {
    const doubtful: Orchestration = { status: 'ACCEPT', state: { ...pendingState, state_details: {} } };
    const was = (type: State['type'], name: string): State => ({ id: name, type, name });

    it('is won when there was one all the same', async () => {
      const { value } = services([doubtful], { states: async () => [asPolled, pendingState] });
      expect(await claimRun(due, value, testWorld(), never)).toMatchObject({ won: true });
    });

    it('is taken back when the run had ended', async () => {
      const states = [asPolled, was('PENDING', 'Pending'), was('RUNNING', 'Running'), was('COMPLETED', 'Completed')];
      const { value, proposed } = services([doubtful, refused(503), accept], {
        states: async () => [...states, pendingState],
      });
      expect(await claimRun(due, value, testWorld(), never)).toMatchObject({ won: false, why: 'lost' });
      expect(proposed.slice(1)).toMatchObject([
        { type: 'COMPLETED', name: 'Completed' },
        { type: 'COMPLETED', name: 'Completed' },
      ]);
    });
  });

  it('that is never answered is given up after some minutes', async () => {
    const world = testWorld(1);
    expect(await claimRun(due, services([unreachable()]).value, world, never)).toMatchObject({ why: 'unavailable' });
    const waitedMs = world.slept.reduce((sum, ms) => sum + ms);
    expect(waitedMs).toBeGreaterThan(180_000);
    expect(waitedMs).toBeLessThan(200_000);
  });
});

describe('a run whose deployment is gone', () => {
  const forced = { type: 'CANCELLED', message: 'Deployment deployment no longer exists, cancelled run.', force: true };

  it.each([
    ['by the server’s word', [{ status: 'ABORT', reason: 'Deployment not found.' } as const, accept], {}],
    ['by its absence', [accept], { catalog: { deployment: async () => undefined, flow: async () => flow } }],
  ])('is cancelled: %s', async (_about, answers, more) => {
    const { value, proposed } = services(answers, more);
    expect(await claimRun(due, value, testWorld(), never)).toMatchObject({ won: false, why: 'deployment-missing' });
    expect(proposed.at(-1)).toMatchObject(forced);
  });

  it('is another matter than a run that never had one', async () => {
    const alone = { ...due, run: { ...due.run, deployment_id: null } };
    const { value } = services([accept], {
      catalog: {
        deployment: async () => {
          throw new Error('nobody asks');
        },
        flow: async () => flow,
      },
    });
    expect(await claimRun(alone, value, testWorld(), never)).toMatchObject({ won: true, deployment: undefined });
  });
});

describe('after the claim', () => {
  it('nothing that passes gives the run up', async () => {
    let reads = 0;
    const { value } = services([accept], {
      catalog: {
        deployment: async () => {
          reads += 1;
          if (reads < 5) throw reads % 2 === 0 ? unreachable() : refused(500);
          return { ...deployment, paused: false, enforce_parameter_schema: false };
        },
        flow: async () => flow,
      },
    });
    expect(await claimRun(due, value, testWorld(), never)).toMatchObject({ won: true });
    expect(reads).toBe(5);
  });

  it('a stopping worker says that the run has to be handed back', async () => {
    const stop = new AbortController();
    const { value } = services([accept], {
      catalog: {
        deployment: async () => {
          stop.abort(new Error('stopping'));
          throw unreachable();
        },
        flow: async () => flow,
      },
    });
    expect(await claimRun(due, value, testWorld(), stop.signal)).toMatchObject({ won: false, why: 'stopping' });
  });

  it('a read that is refused goes up', async () => {
    const { value } = services([accept], {
      catalog: {
        deployment: async () => {
          throw refused(401);
        },
        flow: async () => flow,
      },
    });
    await expect(readParts(due, claimId('ours'), value, testWorld(), never)).rejects.toThrow('answered 401');
  });
});

describe('a stopping worker with an unanswered proposal', () => {
  const stopping = (current: (transitionId: string | undefined) => State | undefined) => {
    const stop = new AbortController();
    const all = services(
      [
        () => {
          stop.abort(new Error('stopping'));
          throw unreachable();
        },
      ],
      { currentState: async () => current(all.proposed[0]?.transitionId) },
    );
    return claimRun(due, all.value, testWorld(), stop.signal);
  };
  const pending = (transition_id: string | null): State => ({
    id: 's',
    type: 'PENDING',
    name: 'Pending',
    state_details: { transition_id },
  });

  it('hands the run back when the proposal was accepted', async () => {
    expect(await stopping((transitionId) => pending(transitionId ?? null))).toMatchObject({ why: 'stopping' });
  });

  it.each([
    ['another worker’s', () => pending('theirs')],
    ['not known', () => undefined],
  ])('leaves a run that is %s', async (_about, current) => {
    await expect(stopping(current)).rejects.toThrow();
  });
});
