import * as z from 'zod';

/** The types of states a flow run can be in; names are free text, decisions look at the type only. */
export const StateType = z.enum([
  'SCHEDULED',
  'PENDING',
  'RUNNING',
  'COMPLETED',
  'FAILED',
  'CANCELLED',
  'CRASHED',
  'PAUSED',
  'CANCELLING',
]);
export type StateType = z.infer<typeof StateType>;

const FINAL: ReadonlySet<StateType> = new Set<StateType>(['COMPLETED', 'FAILED', 'CANCELLED', 'CRASHED']);

/** True for a state that no run leaves by itself (contracts/deploy.md §6.3). */
export function isFinal(type: StateType): boolean {
  return FINAL.has(type);
}

/** A state as the API returns it. */
export const State = z.object({
  id: z.string(),
  type: StateType,
  name: z.string().nullable(),
  message: z.string().nullish(),
  timestamp: z.string().nullish(),
  /** What a run returned, or where that is kept; passed on as it came. */
  data: z.unknown().optional(),
  state_details: z.looseObject({ transition_id: z.string().nullish(), scheduled_time: z.string().nullish() }).nullish(),
});
export type State = z.infer<typeof State>;

/**
 * The states of one run in the order in which it was in them.
 *
 * The server dates a state when the proposal arrives and decides on it later, so by their times a claim can stand before
 * a Late that the server's own service made meanwhile, although that one gave way to it: the run is Pending, and its
 * newest state says Scheduled. Late only ever follows another Scheduled state (Prefect's EnsureOnlyScheduledFlowsMarkedLate),
 * so one that stands behind anything else goes before it.
 */
export function inOrder(states: readonly State[]): State[] {
  const ordered: State[] = [];
  for (const state of states.toSorted((a, b) => Date.parse(a.timestamp ?? '') - Date.parse(b.timestamp ?? ''))) {
    const before = isLate(state) ? ordered.findLastIndex(({ type }) => type === 'SCHEDULED') : -1;
    ordered.splice(before < 0 ? ordered.length : before + 1, 0, state);
  }
  return ordered;
}

function isLate({ type, name }: State): boolean {
  return type === 'SCHEDULED' && name === 'Late';
}
