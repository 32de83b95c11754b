/**
 * Makes a due run this worker's.
 *
 * Failure model. The proposal may be answered late, twice or not at all, and other replicas propose for the same run at
 * the same moment; the server is the arbiter. One transition id is used for all tries, so that a lost answer is told from
 * a lost race. When no answer comes for minutes the run may be Pending without a Job: the repair sweep finds it, here or
 * on another replica. After a claim is won nothing but an explicit answer gives it up: what it needs is read again until
 * it is there or the worker has to stop, and then the run is handed back.
 */
import { randomUUID } from 'node:crypto';
import {
  type Orchestration,
  PrefectApiError,
  PrefectUnreachableError,
  type StateProposal,
} from '@slipway/prefect/client';
import { fullJitter } from '../backoff.ts';
import type { World } from '../world.ts';
import { readClaimAnswer } from './answer.ts';
import type { Catalog } from './catalog.ts';
import type { Claim, DueRun, NotClaimed } from './model.ts';

export interface ClaimServices {
  readonly propose: (
    run: string,
    proposal: StateProposal,
    options: { readonly force?: boolean; readonly signal: AbortSignal },
  ) => Promise<Orchestration>;
  readonly catalog: Catalog;
  /** Tells the run's own log, which its owner reads. */
  readonly tellRun: (run: string, level: number, message: string) => void;
}

const RETRY = { firstMs: 500, mostMs: 15_000 };
/** How long an unanswered proposal is repeated. */
const GIVE_UP_MS = 180_000;
/** How long WAIT is followed before the next poll decides. */
const MOST_WAITS = 3;
const LONGEST_WAIT_MS = 30_000;
/** Python's number for INFO. */
const INFO = 20;

/**
 * Claims a run and reads what its Job is made from.
 *
 * @param signal aborted when the worker has to stop now.
 */
export async function claimRun(
  due: DueRun,
  services: ClaimServices,
  world: World,
  signal: AbortSignal,
): Promise<Claim | NotClaimed> {
  const refusal = await makePending(due, services, world, signal);
  if (refusal !== undefined) {
    if (refusal.why === 'lost')
      services.tellRun(due.id, INFO, `Aborted submission of flow run '${due.id}': ${refusal.reason}`);
    return refusal;
  }
  return await readParts(due, services, world, signal);
}

/** Reads deployment and flow of a run that is Pending for this worker; the repair sweep begins here. */
export async function readParts(
  due: DueRun,
  { catalog, propose }: ClaimServices,
  world: World,
  signal: AbortSignal,
): Promise<Claim | NotClaimed> {
  const deploymentId = due.run.deployment_id ?? undefined;
  const [deployment, flow] = await untilAnswered(
    () =>
      Promise.all([
        deploymentId === undefined ? undefined : catalog.deployment(deploymentId, due.polledAt),
        catalog.flow(due.run.flow_id),
      ]),
    world,
    signal,
  );
  if ((deploymentId !== undefined && deployment === undefined) || flow === undefined) {
    return await cancelWithoutDeployment(due, propose, signal);
  }
  return { ...due, won: true, flow, deployment };
}

async function makePending(
  due: DueRun,
  { propose }: ClaimServices,
  world: World,
  signal: AbortSignal,
): Promise<NotClaimed | undefined> {
  const transitionId = randomUUID();
  const begin = world.clock.now();
  let waits = 0;
  for (let failures = 0; ; ) {
    try {
      const answer = await propose(due.id, { type: 'PENDING', name: 'Pending', transitionId }, { signal });
      const verdict = readClaimAnswer(answer, transitionId);
      if (verdict.kind === 'won') return undefined;
      if (verdict.kind === 'lost') return { won: false, why: 'lost', reason: verdict.reason };
      if (verdict.kind === 'deployment-missing') return await cancelWithoutDeployment(due, propose, signal);
      waits += 1;
      if (waits > MOST_WAITS)
        return { won: false, why: 'lost', reason: `the server keeps it waiting: ${verdict.reason}` };
      await world.clock.sleep(Math.min(verdict.delayMs, LONGEST_WAIT_MS), signal);
    } catch (error) {
      const gone = refusalOf(error);
      if (gone !== undefined) return gone;
      if (!isPassing(error)) throw error;
      failures += 1;
      if (world.clock.now() - begin > GIVE_UP_MS) {
        return { won: false, why: 'unavailable', reason: 'the Prefect API did not answer the claim' };
      }
      await world.clock.sleep(fullJitter(failures, RETRY, world.random), signal);
    }
  }
}

/** An answer that says no and will say no again. */
function refusalOf(error: unknown): NotClaimed | undefined {
  if (!(error instanceof PrefectApiError)) return undefined;
  if (error.status === 404) return { won: false, why: 'run-gone', reason: 'the flow run no longer exists' };
  if (error.status >= 500 || error.status === 429 || error.status === 408) return undefined;
  return { won: false, why: 'unavailable', reason: error.message };
}

/** Failures that say nothing about the run. */
export function isPassing(error: unknown): boolean {
  if (error instanceof PrefectUnreachableError) return true;
  return error instanceof PrefectApiError && (error.status >= 500 || error.status === 429 || error.status === 408);
}

/** Without its deployment a run cannot be made and would be polled for ever (contracts/worker.md §4.10, §10.4.1). */
async function cancelWithoutDeployment(
  due: DueRun,
  propose: ClaimServices['propose'],
  signal: AbortSignal,
): Promise<NotClaimed> {
  const message = `Deployment ${due.run.deployment_id ?? ''} no longer exists, cancelled run.`;
  await propose(
    due.id,
    { type: 'CANCELLED', name: 'Cancelled', message, transitionId: randomUUID() },
    { force: true, signal },
  );
  return { won: false, why: 'deployment-missing', reason: message };
}

/** Repeats a read until it is answered; only the signal, or an answer that is no passing failure, ends it. */
async function untilAnswered<T>(read: () => Promise<T>, world: World, signal: AbortSignal): Promise<T> {
  for (let failures = 1; ; failures += 1) {
    signal.throwIfAborted();
    try {
      return await read();
    } catch (error) {
      if (!isPassing(error)) throw error;
      await world.clock.sleep(fullJitter(failures, RETRY, world.random), signal);
    }
  }
}
