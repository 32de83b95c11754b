import type { ScheduleRecord } from '@slipway/prefect/client';
import { type JsonObject, sameJson } from '@slipway/prefect/json';
import { readAnchor } from './anchor.ts';
import type { DesiredSchedule, ScheduleChange, ScheduleTimes } from './model.ts';
import { readRecurrence } from './rrule.ts';

/** The fields in which a schedule on the server is not as wanted; its defaults are known, so a default is no change. */
export function scheduleChanges(desired: DesiredSchedule, actual: ScheduleRecord): ScheduleChange[] {
  const parameters = actual.parameters ?? {};
  const names = new Set([...Object.keys(parameters), ...Object.keys(desired.parameters)]);
  const rest: ScheduleChange[] = [
    ...(desired.slug === undefined ? [] : [{ field: 'slug', before: actual.slug ?? undefined, after: desired.slug }]),
    ...(desired.active === undefined
      ? []
      : [{ field: 'active', before: actual.active ?? true, after: desired.active }]),
    ...[...names].map((name) => ({
      field: `parameters.${name}`,
      before: parameters[name],
      after: desired.parameters[name],
    })),
  ];
  return [...timesChanges(desired.times, actual.schedule), ...rest.filter(isChange)];
}

/** The fields in which two schedules run at other times. */
export function timesChanges(desired: ScheduleTimes, actual: JsonObject): ScheduleChange[] {
  const [before, after] = [withDefaults(actual), fieldsOf(settledTimes(desired, actual))];
  const fields = new Set([...Object.keys(before), ...Object.keys(after)]);
  return [...fields]
    .map((field) => ({ field, before: before[field], after: after[field] }))
    .filter((change) => isChange(change) && !isSameText(change, withDefaults(actual)));
}

/** The times to be sent where a schedule is there already: an interval without an anchor keeps the one it has. */
export function settledTimes(desired: ScheduleTimes, actual: JsonObject): ScheduleTimes {
  if (!('interval' in desired) || desired.anchor_date !== undefined) return desired;
  const { anchor_date: anchor } = actual;
  return 'interval' in actual && typeof anchor === 'string' ? { ...desired, anchor_date: anchor } : desired;
}

/** What a schedule says, on one line: `cron 0 9 * * 1-5 Europe/Berlin`, `every 3600 s`. */
export function timesText(times: ScheduleTimes | JsonObject): string {
  const { cron, interval, rrule, timezone } = times as JsonObject;
  const zone = typeof timezone === 'string' && timezone !== 'UTC' && timezone !== '' ? ` ${timezone}` : '';
  if (cron !== undefined) return `cron ${String(cron)}${zone}`;
  if (interval !== undefined) return `every ${Number(interval)} s${zone}`;
  return `rrule ${String(rrule ?? '').replaceAll('\n', ' ')}${zone}`;
}

function isChange({ before, after }: ScheduleChange): boolean {
  return !sameJson(before, after);
}

function fieldsOf(times: ScheduleTimes): JsonObject {
  return { ...times };
}

/** A stored schedule with what the server means where a field is null. */
function withDefaults(stored: JsonObject): JsonObject {
  const { cron, interval, anchor_date, rrule, day_or, timezone } = stored;
  if (cron !== undefined) return { cron, timezone: timezone ?? null, day_or: day_or ?? true };
  if (interval !== undefined) {
    return { interval, ...(anchor_date === undefined ? {} : { anchor_date }), timezone: timezone ?? 'UTC' };
  }
  return { ...(rrule === undefined ? {} : { rrule }), timezone: timezone ?? 'UTC' };
}

/** Anchors are the same at the same instant; a rule is the same once the server has given it a start. */
function isSameText({ field, before, after }: ScheduleChange, stored: JsonObject): boolean {
  if (typeof before !== 'string' || typeof after !== 'string') return false;
  if (field === 'anchor_date') {
    const instant = readAnchor(before)?.instant;
    return instant !== undefined && instant === readAnchor(after)?.instant;
  }
  return field === 'rrule' && 'rrule' in stored && isSameRule(after, before);
}

/** The moment from which Prefect counts rules without a start, as a local time. */
const FIRST = Date.UTC(2020, 0, 1);

/**
 * Whether a stored rule is the written one with the DTSTART that a server puts before it: the first of 2020, or for rules
 * of minutes and seconds one of the later occurrences (contracts/deploy.md §1.4).
 */
function isSameRule(written: string, stored: string): boolean {
  const match = /^DTSTART:(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)\n(.*)$/s.exec(stored);
  if (match === null || match[7] !== written || written.toUpperCase().includes('DTSTART')) return false;
  const [year = 0, month = 1, day = 1, hour = 0, minute = 0, second = 0] = match.slice(1, 7).map(Number);
  const start = Date.UTC(year, month - 1, day, hour, minute, second);
  if (start === FIRST) return true;
  const { period } = readRecurrence(written);
  return period !== undefined && (start - FIRST) % (period * 1000) === 0;
}
