/**
 * Makes a due run this worker's.
 *
 * Failure model. The proposal may be answered late, twice or not at all, and other replicas propose for the same run at
 * the same moment; the server is the arbiter. One transition id is used for all tries, so that a lost answer is told from
 * a lost race, and each repeat is preceded by a look at the run: by then it may have been claimed and have ended, and the
 * server would open it again (reopened.ts). When no answer comes for minutes the run may be Pending without a Job: the
 * repair sweep finds it, here or on another replica. After a claim is won nothing but an explicit answer gives it up:
 * what it needs is read again until it is there or the worker has to stop, and then the run is handed back.
 */
import { randomUUID } from 'node:crypto';
import { type Orchestration, PrefectApiError, type StateProposal } from '@slipway/prefect/client';
import type { State } from '@slipway/prefect/states';
import { fullJitter } from '../backoff.ts';
import { type ClaimId, claimId } from '../ids.ts';
import type { World } from '../world.ts';
import { readClaimAnswer, readStanding } from './answer.ts';
import type { Catalog } from './catalog.ts';
import type { Claim, DueRun, NotClaimed } from './model.ts';
import { restoring, undoneState } from './reopened.ts';
import type { Proposed } from './together.ts';
import { isPassing, untilAnswered } from './until-answered.ts';

export interface ClaimServices {
  /** Proposes for the first time that a run becomes Pending, with an id of its own choice. */
  readonly begin: (run: string) => Proposed;
  /** Sent once; answered or given up some time after the worker began to stop: an answer is worth waiting for. */
  readonly propose: (
    run: string,
    proposal: StateProposal,
    options?: { readonly force: boolean },
  ) => Promise<Orchestration>;
  /** The state the run is in. */
  readonly currentState: (run: string, signal: AbortSignal) => Promise<State | undefined>;
  /** All states the run has been in, oldest first. */
  readonly states: (run: string, signal: AbortSignal) => Promise<readonly State[]>;
  readonly catalog: Catalog;
  /** Tells the run's own log, which its owner reads. */
  readonly tellRun: (run: string, level: number, message: string) => void;
}

const RETRY = { firstMs: 500, mostMs: 15_000 };
/** How long an unanswered proposal is repeated. */
const GIVE_UP_MS = 180_000;
/** When there is no more time: how long the state may take to be read. */
export const LAST_LOOK_MS = 1_500;
/** How long WAIT is followed before the next poll decides. */
const MOST_WAITS = 3;
const LONGEST_WAIT_MS = 30_000;
/** Python's number for INFO. */
const INFO = 20;

/**
 * Claims a run, perhaps together with others, and reads what its Job is made from.
 *
 * @param signal aborted when the worker has to stop now; the run is then either not claimed, or `stopping` says that it
 *   is and has to be handed back.
 */
export async function claimRun(
  due: DueRun,
  services: ClaimServices,
  world: World,
  signal: AbortSignal,
): Promise<Claim | NotClaimed> {
  const { transitionId, answer } = services.begin(due.id);
  const refusal = await makePending(due, transitionId, answer, services, world, signal);
  if (refusal !== undefined) {
    if (refusal.why === 'lost')
      services.tellRun(due.id, INFO, `Aborted submission of flow run '${due.id}': ${refusal.reason}`);
    return refusal;
  }
  try {
    return await readParts(due, claimId(transitionId), services, world, signal);
  } catch (error) {
    if (signal.aborted) return STOPPING;
    throw error;
  }
}

const STOPPING: NotClaimed = { won: false, why: 'stopping', reason: 'the worker is stopping' };

/** Reads deployment and flow of a run that is Pending for this worker; the repair sweep begins here. */
export async function readParts(
  due: DueRun,
  id: ClaimId,
  { catalog, propose }: ClaimServices,
  world: World,
  signal: AbortSignal,
): Promise<Claim | NotClaimed> {
  const [deployment, flow] = await untilAnswered(() => lookUp(due, catalog), world, signal);
  if ((due.run.deployment_id != null && deployment === undefined) || flow === undefined) {
    return await cancelWithoutDeployment(due, propose);
  }
  return { ...due, won: true, claimId: id, flow, deployment };
}

/** Deployment and flow of a run, as they were after its poll; undefined for what is not there. */
export function lookUp({ run, polledAt }: DueRun, catalog: Catalog) {
  const id = run.deployment_id;
  return Promise.all([id == null ? undefined : catalog.deployment(id, polledAt), catalog.flow(run.flow_id)]);
}

async function makePending(
  due: DueRun,
  transitionId: string,
  first: Promise<Orchestration | undefined>,
  services: ClaimServices,
  world: World,
  signal: AbortSignal,
): Promise<NotClaimed | undefined> {
  const { propose, currentState } = services;
  const begin = world.clock.now();
  let waits = 0;
  let proposed: Promise<Orchestration | undefined> | undefined = first;
  let isUncertain = false;
  for (let failures = 0; ; ) {
    try {
      if (isUncertain) {
        const standing = readStanding(await currentState(due.id, signal), due.scheduledState, transitionId);
        if (standing?.kind === 'won') return undefined;
        if (standing?.kind === 'lost') return { won: false, why: 'lost', reason: standing.reason };
      }
      const answer = await (proposed ?? propose(due.id, { type: 'PENDING', name: 'Pending', transitionId }));
      proposed = undefined;
      if (answer === undefined) {
        isUncertain = true;
        continue;
      }
      const verdict = readClaimAnswer(answer, transitionId);
      if (verdict.kind === 'won') return undefined;
      if (verdict.kind === 'doubtful') return await unlessReopened(due, services, world, signal);
      if (verdict.kind === 'lost') return { won: false, why: 'lost', reason: verdict.reason };
      if (verdict.kind === 'deployment-missing') return await cancelWithoutDeployment(due, propose);
      waits += 1;
      if (waits > MOST_WAITS)
        return { won: false, why: 'lost', reason: `the server keeps it waiting: ${verdict.reason}` };
      await world.clock.sleep(Math.min(verdict.delayMs, LONGEST_WAIT_MS), signal);
    } catch (error) {
      // It waited for its turn and was not sent.
      if (proposed !== undefined && signal.aborted && error === signal.reason) throw error;
      proposed = undefined;
      isUncertain = true;
      if (signal.aborted) {
        // The proposal may have been accepted all the same.
        const state = await currentState(due.id, AbortSignal.timeout(LAST_LOOK_MS)).catch(() => undefined);
        if (state?.type === 'PENDING' && state.state_details?.transition_id === transitionId) return STOPPING;
        throw error;
      }
      const gone = refusalOf(error);
      if (gone !== undefined) return gone;
      if (!isPassing(error)) throw error;
      failures += 1;
      if (world.clock.now() - begin > GIVE_UP_MS) {
        return { won: false, why: 'unavailable', reason: 'the Prefect API did not answer the claim' };
      }
      const askedMs = error instanceof PrefectApiError ? error.retryAfterMs : undefined;
      await world.clock.sleep(fullJitter(failures, RETRY, world.random, askedMs), signal);
    }
  }
}

/** Looks what an accepted claim was made of, and takes it back when the run had ended. */
async function unlessReopened(
  due: DueRun,
  { propose, states }: Pick<ClaimServices, 'propose' | 'states'>,
  world: World,
  signal: AbortSignal,
): Promise<NotClaimed | undefined> {
  const ended = undoneState(await untilAnswered(() => states(due.id, signal), world, signal));
  if (ended === undefined) return undefined;
  const proposal = restoring(ended, randomUUID());
  await untilAnswered(() => propose(due.id, proposal), world, signal);
  return { won: false, why: 'lost', reason: `it had ended as ${ended.name ?? ended.type} meanwhile, and is so again` };
}

/** An answer that says no and will say no again. */
function refusalOf(error: unknown): NotClaimed | undefined {
  if (!(error instanceof PrefectApiError)) return undefined;
  if (error.status === 404) return { won: false, why: 'run-gone', reason: 'the flow run no longer exists' };
  if (error.status >= 500 || error.status === 429 || error.status === 408) return undefined;
  return { won: false, why: 'unavailable', reason: error.message };
}

/** Without its deployment a run cannot be made and would be polled for ever (contracts/worker.md §4.10, §10.4.1). */
async function cancelWithoutDeployment(due: DueRun, propose: ClaimServices['propose']): Promise<NotClaimed> {
  const message = `Deployment ${due.run.deployment_id ?? ''} no longer exists, cancelled run.`;
  await propose(due.id, { type: 'CANCELLED', name: 'Cancelled', message, transitionId: randomUUID() }, { force: true });
  return { won: false, why: 'deployment-missing', reason: message };
}
