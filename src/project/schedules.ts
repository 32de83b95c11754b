import type { JsonObject } from '@slipway/prefect/json';
import * as z from 'zod';
import {
  asSeconds,
  boolOrText,
  DURATION,
  isMapping,
  isoDuration,
  mapping,
  mustBe,
  nested,
  refuse,
  secondsDuration,
  shape,
  text,
} from './lax.ts';
import { YamlDate } from './nodes.ts';

/** Why a schedule that says nothing, or nests it one level too deep, is refused although Prefect's loader takes it. */
const ONE_OF = 'Give exactly one of cron, interval or rrule, beside timezone, active, parameters, slug and the like.';

const rawSchedule = shape(
  {
    cron: text.nullish(),
    interval: isoDuration.nullish(),
    rrule: text.nullish(),
    timezone: text.nullish(),
    anchor_date: text.nullish(),
    active: boolOrText.nullish(),
    parameters: mapping.optional(),
    slug: text.nullish(),
    replaces: text.nullish(),
    day_or: boolOrText.nullish(),
  },
  { strict: true },
);

const anchorDate = z.unknown().transform((value, context): string => {
  const anchored = readAnchor(value);
  return anchored ?? refuse(context, mustBe('a date', value), { wanted: 'a date' });
});

/** What an item becomes when its anchor date is no text (contracts/deploy.md, "Seen on 3.8.8" 2). */
const anchoredInterval = z
  .object({ interval: secondsDuration, anchor_date: anchorDate, timezone: text.nullish() })
  .transform((item): JsonObject => ({ ...item, timezone: item.timezone ?? 'UTC' }));

/**
 * One item of `schedules` (contracts/deploy.md §1.4), as Prefect's CLI dumps it: an interval becomes ISO 8601 text,
 * beside an unquoted anchor date a float of seconds. Whether cron, rrule and timezone mean anything is checked later,
 * after templating.
 */
export const scheduleItem: z.ZodType<JsonObject> = z.unknown().transform((value, context): JsonObject => {
  if (!isMapping(value)) return refuse(context, mustBe('a mapping', value), { remedy: ONE_OF });
  if ('schedule' in value) {
    return refuse(context, 'nests the schedule under a key of its own, which Prefect cannot deploy', {
      remedy: 'Write cron, interval or rrule directly into the item, without the `schedule` key.',
    });
  }
  if (hasUnquotedAnchor(value)) return readAnchored(value, context);
  const item = nested(rawSchedule, value, context);
  const kinds = ['cron', 'interval', 'rrule'].filter((key) => value[key] !== undefined && value[key] !== null);
  if (kinds.length === 1) return withoutUndefined(item);
  const found = kinds.length === 0 ? 'none of cron, interval and rrule' : `both ${kinds.join(' and ')}`;
  return refuse(context, `has ${found}`, { remedy: ONE_OF });
});

/** The old singular key; an empty mapping means none (contracts/deploy.md §1.3). */
export const legacySchedule: z.ZodType<JsonObject> = z.unknown().transform((value, context): JsonObject => {
  return isMapping(value) && Object.keys(value).length === 0 ? {} : nested(scheduleItem, value, context);
});

function hasUnquotedAnchor(value: Record<string, unknown>): boolean {
  const anchor = value.anchor_date;
  return anchor !== undefined && anchor !== null && typeof anchor !== 'string';
}

function readAnchored(value: Record<string, unknown>, context: z.core.$RefinementCtx): JsonObject {
  const others = Object.keys(value).filter((key) => !['interval', 'anchor_date', 'timezone'].includes(key));
  const seconds = asSeconds(value.interval);
  if (others.length > 0) {
    return refuse(
      context,
      `must be text beside ${others.join(', ')}; Prefect takes an unquoted date only beside interval and timezone`,
      { wanted: 'text' },
      ['anchor_date'],
    );
  }
  if (seconds !== undefined && seconds <= 0) {
    return refuse(context, 'must be longer than 0 seconds', { wanted: DURATION }, ['interval']);
  }
  return nested(anchoredInterval, value, context);
}

function readAnchor(value: unknown): string | undefined {
  if (value instanceof YamlDate) {
    if (!value.hasTime) return `${value.text}T00:00:00Z`;
    return /(?:Z|[+-]\d\d:\d\d)$/.test(value.text) ? value.text : `${value.text}Z`;
  }
  if (typeof value !== 'number') return undefined;
  // pydantic takes a number for seconds since 1970, and a large one for milliseconds.
  const date = new Date(Math.abs(value) > 2e10 ? value : value * 1000);
  return Number.isNaN(date.getTime()) ? undefined : date.toISOString().replace('.000Z', 'Z');
}

function withoutUndefined(item: Readonly<Record<string, JsonObject[string] | undefined>>): JsonObject {
  const written: JsonObject = {};
  for (const [key, value] of Object.entries(item)) if (value !== undefined) written[key] = value;
  return written;
}
