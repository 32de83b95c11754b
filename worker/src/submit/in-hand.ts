import { randomUUID } from 'node:crypto';
import { readFlowRunStates, setFlowRunState } from '@slipway/prefect/client';
import type { Claim, DueRun, NotClaimed } from '../claim/model.ts';
import { untilAnswered } from '../claim/until-answered.ts';
import { CLOCKS_MS } from '../decide/decide.ts';
import { type StartServices, startRun } from './start.ts';
import type { Stopping } from './submit.ts';

/** How long handing back a run may take when the worker stops. */
export const HAND_BACK_MS = 2_500;

/**
 * The whole work on one run in hand, from the claim to its Job. What goes wrong with it is said and ends here. When the
 * worker has to stop before the Job can exist, the run is handed back as Scheduled; a run whose Job may exist stays
 * Pending, and the repair sweep, here or on another replica, finishes it under the Job's name. So does a run that a sweep
 * has taken up or may take up by now: another replica may have made its Job, and claimed anew it would get a second one.
 *
 * @param obtain claims the run, or takes it up again.
 * @returns never rejects.
 */
export async function workOnRun(
  due: DueRun,
  obtain: () => Promise<Claim | NotClaimed>,
  services: StartServices,
  stopping: Stopping,
): Promise<void> {
  const { metrics, world } = services;
  let claimed = false;
  try {
    const claim = await obtain();
    metrics.claims.inc({ outcome: claim.won ? 'won' : claim.why });
    claimed = claim.won;
    if (claim.won) {
      if ((await startRun(claim, services, stopping)) === 'not-created') await handBack(due, services);
      return;
    }
    world.log.debug(`Flow run ${due.run.name} is not started: ${claim.reason}`, { flowRun: due.id });
    if (claim.why === 'stopping') await handBack(due, services);
  } catch (error) {
    if (stopping.stop.aborted) {
      if (claimed) await handBack(due, services);
      return;
    }
    const reason = error instanceof Error ? error.message : String(error);
    world.log.error(`Flow run ${due.run.name}: ${reason}`, { flowRun: due.id });
  }
}

/**
 * Whether a claim is this worker's alone until it is handed back: sweeps leave a Pending run alone for a while, by the
 * time at which the server made it Pending, which is after its poll. Servers' and replicas' clocks differ.
 */
function isOursAlone(due: DueRun, { config, world }: Pick<StartServices, 'config' | 'world'>): boolean {
  const heldMs = world.clock.now() - due.polledAt;
  return due.interrupted === undefined && heldMs + HAND_BACK_MS + CLOCKS_MS < config.repair.orphanAfterMs;
}

/**
 * Puts a run that was claimed and not submitted back, for another worker to take. Whether a proposal whose answer was
 * lost has been accepted is looked up before it is repeated: by then another worker may have the run, or have ended it.
 */
async function handBack(due: DueRun, services: StartServices): Promise<void> {
  const { api, world } = services;
  if (!isOursAlone(due, services)) {
    world.log.info(
      `Flow run ${due.run.name} stays Pending: the repair sweep of another worker, or of the next, has it`,
      {
        flowRun: due.id,
      },
    );
    return;
  }
  const transitionId = randomUUID();
  const proposal = {
    type: 'SCHEDULED',
    name: 'Scheduled',
    message: 'The worker stopped before the Job was created.',
    scheduledTime: new Date(world.clock.now()).toISOString(),
    transitionId,
  } as const;
  const signal = AbortSignal.timeout(HAND_BACK_MS);
  let proposed = false;
  const propose = async () => {
    if (proposed) {
      const states = await readFlowRunStates(api, due.id, signal);
      if (states.some((state) => state.state_details?.transition_id === transitionId)) return;
    }
    proposed = true;
    await setFlowRunState(api, due.id, proposal, { once: true, signal });
  };
  try {
    await untilAnswered(propose, world, signal);
    world.log.info(`Flow run ${due.run.name} is handed back`, { flowRun: due.id });
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    world.log.warning(
      `Flow run ${due.run.name} could not be handed back: ${reason}; the repair sweep of the next worker finds it`,
      { flowRun: due.id },
    );
  }
}
