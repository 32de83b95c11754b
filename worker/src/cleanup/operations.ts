import type { CleanupMessage, CleanupOperation, CleanupStatus } from '../channel/frames.ts';
import { TEARDOWN } from '../channel/frames.ts';

/** What is done with a message that has arrived. */
export type Admission =
  | { readonly kind: 'work' }
  /** Nothing is answered. */
  | { readonly kind: 'ignore'; readonly why: string }
  | { readonly kind: 'release'; readonly reason: string };

/**
 * Decides about a message (contracts/worker.md §6.4, Prefect's workers/_cleanup.py `execute`). Pure.
 *
 * @param room how many may be worked on at one time, as the server said; 0 when it takes no cleanup from us.
 * @param active tokens of what is being worked on.
 * @param leaseMs what is left of the lease.
 */
export function admit(
  message: Pick<CleanupMessage, 'kind' | 'reservation_token'>,
  { room, active, leaseMs }: { readonly room: number; readonly active: ReadonlySet<string>; readonly leaseMs: number },
): Admission {
  if (message.kind !== TEARDOWN) return { kind: 'release', reason: 'unsupported_cleanup_kind' };
  if (room === 0) return { kind: 'release', reason: 'cleanup_delivery_unavailable' };
  if (leaseMs <= 0) return { kind: 'ignore', why: 'its lease is over' };
  if (active.has(message.reservation_token)) return { kind: 'ignore', why: 'it is being worked on' };
  if (active.size >= room) return { kind: 'release', reason: 'concurrency_limit_reached' };
  return { kind: 'work' };
}

/** What an answer to an operation means: it holds, it is asked again, or the message is ours no more. */
export type OperationVerdict = 'done' | 'again' | 'lost';

/** Pure; as `classify_operation_result` of Prefect's workers/_cleanup.py. */
export function judgeOperation(operation: CleanupOperation, status: CleanupStatus): OperationVerdict {
  if (status === 'accepted') return 'done';
  if (status === 'error') return 'again';
  // What is acknowledged already is not there any more.
  return status === 'not_found' && operation === 'ack' ? 'done' : 'lost';
}
