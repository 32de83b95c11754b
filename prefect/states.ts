import { z } from 'zod';

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
