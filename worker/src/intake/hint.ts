/** What an event of the Prefect server says about a run of the pool: pure. */
import * as z from 'zod';

/** A run has become `ready` to be started, or is not to be started any more: `taken`. */
export interface Hint {
  readonly kind: 'ready' | 'taken';
  readonly flowRunId: string;
}

/**
 * Names of the states whose events are asked for. A run that is Late was due long before, one that is
 * AwaitingConcurrencySlot is due in half a minute, and runs that the scheduler made for later have no event at all.
 */
const READY = ['Scheduled', 'Resuming', 'AwaitingRetry'] as const;
const TAKEN = ['Pending', 'Cancelled'] as const;
const PREFIX = 'prefect.flow-run.';
/** The names by which the ends of time are told: a filter without them ends at the moment it is made. */
const ALWAYS = { since: '2020-01-01T00:00:00Z', until: '2100-01-01T00:00:00Z' };

/** The message that asks for the events of a pool's runs. @param poolId the pool's own id, not its name. */
export function filterFor(poolId: string): object {
  return {
    type: 'filter',
    backfill: false,
    filter: {
      occurred: ALWAYS,
      event: { name: [...READY, ...TAKEN].map((state) => PREFIX + state) },
      related: { id: [`prefect.work-pool.${poolId}`] },
    },
  };
}

const Resource = z.looseObject({
  'prefect.resource.id': z.string(),
  'prefect.resource.role': z.string().optional(),
  'prefect.resource.name': z.string().optional(),
});
const Message = z.looseObject({
  type: z.literal('event'),
  event: z.looseObject({
    event: z.string(),
    resource: Resource,
    related: z.array(Resource).default([]),
    payload: z
      .looseObject({ initial_state: z.looseObject({ type: z.string().optional() }).nullish() })
      .nullish()
      .catch(undefined),
  }),
});

/**
 * Reads one message of `/events/out`.
 *
 * @param serves whether runs of a queue of this name are taken; a run whose queue is not told may be one of them.
 * @returns undefined when it says nothing about a run that could be taken.
 */
export function readHint(text: string, serves: (queueName: string) => boolean): Hint | undefined {
  const message = Message.safeParse(parsed(text));
  if (!message.success) return undefined;
  const { event, resource, related, payload } = message.data.event;
  const id = resource['prefect.resource.id'];
  if (!event.startsWith(PREFIX) || !id.startsWith(PREFIX)) return undefined;
  const flowRunId = id.slice(PREFIX.length);
  const state = event.slice(PREFIX.length);
  if (TAKEN.some((name) => name === state)) return { kind: 'taken', flowRunId };
  if (!READY.some((name) => name === state)) return undefined;
  // A flow that runs retries itself, in its own process.
  if (state === 'AwaitingRetry' && payload?.initial_state?.type === 'RUNNING') return undefined;
  const queue = related.find((each) => each['prefect.resource.role'] === 'work-queue')?.['prefect.resource.name'];
  return queue === undefined || serves(queue) ? { kind: 'ready', flowRunId } : undefined;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
