import type { ScheduleRecord } from '@slipway/prefect/client';
import type { Json, JsonObject } from '@slipway/prefect/json';
import type { Position } from '../../project/model.ts';
import type { KNOWN_AT_DEPLOY } from '../../steps/foresight.ts';

/** A truth that a step may decide: in plan mode it is not known yet. */
export type Decided = boolean | typeof KNOWN_AT_DEPLOY;

/** When a schedule runs, in the API's own field names (contracts/deploy.md §1.4). */
export type ScheduleTimes =
  | { readonly cron: string; readonly timezone: string | null; readonly day_or: Decided }
  | {
      /** Seconds. */
      readonly interval: number;
      /** Absent: the server's own anchor stays, or a new schedule begins now. */
      readonly anchor_date?: string;
      readonly timezone: string;
    }
  | { readonly rrule: string; readonly timezone: string };

/** One schedule as prefect.yaml wants it. */
export interface DesiredSchedule {
  readonly times: ScheduleTimes;
  /** Absent: as it is on the server; a new one is active. */
  readonly active?: Decided;
  readonly parameters: JsonObject;
  readonly slug?: string;
  readonly replaces?: string;
  readonly where: Position;
}

/** One thing that happens to one schedule; `name` is its slug, else what it says. */
export type ScheduleWrite =
  | { readonly action: 'create'; readonly name: string; readonly desired: DesiredSchedule }
  | {
      readonly action: 'change';
      readonly name: string;
      readonly id: string;
      readonly body: JsonObject;
      readonly changes: readonly ScheduleChange[];
    }
  | { readonly action: 'remove'; readonly name: string; readonly actual: ScheduleRecord };

export interface ScheduleChange {
  readonly field: string;
  readonly before: Json | undefined;
  readonly after: Json | undefined;
}

/**
 * What is written, and how. `together` is the list that a PATCH of the deployment takes: one transaction, which may also
 * rename, but where schedules have no slugs the server deletes all and creates them anew. So what only changes or
 * removes schedules goes `singly`, and the others keep their ids.
 */
export type SchedulePlan =
  | { readonly how: 'together'; readonly writes: readonly ScheduleWrite[]; readonly list: readonly JsonObject[] }
  | { readonly how: 'singly'; readonly writes: readonly Exclude<ScheduleWrite, { action: 'create' }>[] };
