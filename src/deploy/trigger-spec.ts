import { type Json, type JsonObject, SpelledNumber } from '@slipway/prefect/json';
import * as z from 'zod';
import {
  asSeconds,
  bool,
  describe,
  int,
  isMapping,
  list,
  mapping,
  mustBe,
  nested,
  oneOf,
  refuse,
  secondsDuration,
  shape,
  text,
} from '../project/lax.ts';
import { spellFloat } from '../project/scalars.ts';

/** What one item of `triggers` says, with Prefect's defaults; `trigger` is the body that the API takes. */
export interface TriggerSpec {
  /** Null or empty: Prefect names the automation after the deployment's id. */
  readonly name: string | null;
  readonly description: string;
  readonly enabled: boolean;
  readonly trigger: JsonObject;
  readonly parameters: JsonObject | null;
  readonly job_variables: JsonObject | null;
  /** Seconds. */
  readonly schedule_after: number | SpelledNumber;
}

/** Longest a Proactive trigger may leave out, and the least it may name. */
const PROACTIVE_SECONDS = 10;
const METRIC_SECONDS = 300;

const atLeast = (least: number) =>
  z.unknown().transform((value, context): number | SpelledNumber => {
    const seconds = nested(secondsDuration, value, context);
    if (typeof seconds !== 'number' && !(seconds instanceof SpelledNumber)) return z.NEVER;
    if (Number(seconds) >= least) return seconds;
    const wanted = `a duration of ${least} seconds or more`;
    return refuse(context, mustBe(wanted, value), { wanted });
  });

/** A set: what is written twice is there once. */
const words = z.unknown().transform((value, context): string[] => {
  const read = list(text).safeParse(value);
  return read.success ? [...new Set(read.data)] : nested(list(text), value, context);
});

const label = z.unknown().transform((value, context): Json => {
  if (Array.isArray(value)) return nested(list(text), value, context);
  if (typeof value === 'string') return value;
  return refuse(context, mustBe('text or a list of texts', value), { wanted: 'text or a list of texts' });
});

const labels = z.unknown().transform((value, context): JsonObject => {
  if (!isMapping(value))
    return refuse(context, mustBe('a mapping of labels', value), { wanted: 'a mapping of labels' });
  return nested(z.record(z.string(), label), value, context);
});

const related = z.unknown().transform((value, context): Json => {
  return Array.isArray(value) ? nested(z.array(labels), value, context) : nested(labels, value, context);
});

const resource = { match: labels.default({}), match_related: related.default({}) };

const number = z.unknown().transform((value, context): number | SpelledNumber => {
  if (typeof value === 'boolean') return spellFloat(Number(value));
  const isNumber = typeof value === 'number' || value instanceof SpelledNumber;
  const isText = typeof value === 'string' && /^\s*[-+]?(?:\d[\d_]*\.?\d*|\.\d+)(?:e[-+]?\d+)?\s*$/i.test(value);
  if (isNumber || isText) return spellFloat(Number(typeof value === 'string' ? value.replaceAll('_', '') : value));
  return refuse(context, mustBe('a number', value), { wanted: 'a number' });
});

const eventFields = shape({
  ...resource,
  after: words.default([]),
  expect: words.default([]),
  for_each: words.default([]),
  posture: oneOf(['Reactive', 'Proactive']).default('Reactive'),
  threshold: int.default(1),
});

const event = z.unknown().transform((value, context): JsonObject => {
  const { posture, threshold, ...fields } = nested(eventFields, value, context);
  const within = readWithin(value, context);
  return { type: 'event', ...fields, posture, threshold, within };
});

/** For a Proactive trigger 0 stands for the least there is (prefect/events/schemas/automations.py `EventTrigger`). */
function readWithin(value: unknown, context: z.core.$RefinementCtx): Json {
  if (!isMapping(value)) return null;
  const { within, posture } = value;
  if (posture !== 'Proactive') return within === undefined ? spellFloat(0) : at('within', atLeast(0), within, context);
  if (isEmpty(within)) return spellFloat(PROACTIVE_SECONDS);
  if (typeof within === 'string') {
    const wanted = 'a number of seconds, as the trigger is Proactive';
    return refuse(context, mustBe(wanted, within), { wanted }, ['within']);
  }
  return at('within', atLeast(PROACTIVE_SECONDS), within, context);
}

/** What Python takes for false, but for null. */
function isEmpty(value: unknown): boolean {
  if (value === undefined || value === '') return true;
  if (typeof value !== 'string' && asSeconds(value) === 0) return true;
  return Array.isArray(value) ? value.length === 0 : isMapping(value) && Object.keys(value).length === 0;
}

function at<T>(key: string, schema: z.ZodType<T>, value: unknown, context: z.core.$RefinementCtx): T {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  for (const issue of result.error.issues) context.addIssue({ ...issue, code: 'custom', path: [key, ...issue.path] });
  return z.NEVER;
}

const metricFields = shape({
  ...resource,
  posture: oneOf(['Metric']).default('Metric'),
  metric: shape({
    name: oneOf(['lateness', 'duration', 'successes']),
    threshold: number,
    operator: oneOf(['<', '<=', '>', '>=']),
    range: atLeast(METRIC_SECONDS).default(spellFloat(METRIC_SECONDS)),
    firing_for: atLeast(METRIC_SECONDS).default(spellFloat(METRIC_SECONDS)),
  }),
});

const metric = z.unknown().transform((value, context): JsonObject => {
  return { type: 'metric', ...nested(metricFields, value, context) };
});

/** The window of several triggers: any duration, null for none. */
const window = z.unknown().transform((value, context): Json => {
  return value === null ? null : nested(secondsDuration, value, context);
});

const innerTrigger: z.ZodType<JsonObject> = z.unknown().transform((value, context): JsonObject => {
  if (!isMapping(value)) return refuse(context, mustBe('a mapping', value), { wanted: 'a mapping' });
  return readKind(value, innerKind(value), context);
});

const parts = { triggers: list(innerTrigger), within: window.default(null) };

const sequence = z.unknown().transform((value, context): JsonObject => {
  return { type: 'sequence', ...nested(shape(parts), value, context) };
});

const REQUIRE = 'any, all, or a whole number';
const compoundFields = shape({
  ...parts,
  require: z.unknown().transform((value, context): Json => {
    if (value === 'any' || value === 'all') return value;
    const count = int.safeParse(value);
    return count.success ? count.data : refuse(context, mustBe(REQUIRE, value), { wanted: REQUIRE });
  }),
});

const compound = z.unknown().transform((value, context): JsonObject => {
  const fields = nested(compoundFields, value, context);
  const count = Number(fields?.require);
  if (fields !== z.NEVER && (count < 1 || count > fields.triggers.length)) {
    const wanted = `any, all, or a whole number from 1 to ${fields.triggers.length}, the number of its triggers`;
    return refuse(context, mustBe(wanted, fields.require), { wanted }, ['require']);
  }
  return { type: 'compound', ...fields };
});

const KINDS = { event, metric, compound, sequence } as const;
type Kind = keyof typeof KINDS;

/** `deployment_trigger_discriminator`: of the outer trigger a Metric posture tells more than the triggers inside. */
function outerKind(value: Record<string, unknown>): unknown {
  if ('type' in value) return value.type;
  if (value.posture === 'Metric') return 'metric';
  return 'triggers' in value ? compositeKind(value) : 'event';
}

/** `trigger_discriminator`: for triggers inside others it is the other way round. */
function innerKind(value: Record<string, unknown>): unknown {
  if ('type' in value) return value.type;
  if ('triggers' in value) return compositeKind(value);
  return value.posture === 'Metric' ? 'metric' : 'event';
}

function compositeKind(value: Record<string, unknown>): Kind {
  return 'require' in value ? 'compound' : 'sequence';
}

function isKind(value: unknown): value is Kind {
  return typeof value === 'string' && Object.hasOwn(KINDS, value);
}

function readKind(value: Record<string, unknown>, kind: unknown, context: z.core.$RefinementCtx): JsonObject {
  if (isKind(kind)) return nested(KINDS[kind], value, context);
  const wanted = `one of ${Object.keys(KINDS).join(', ')}`;
  return refuse(context, `must be ${wanted}, not ${describe(kind)}`, { wanted }, ['type']);
}

const common = shape({
  name: text.nullable().optional(),
  description: text.default(''),
  enabled: bool.default(true),
  parameters: mapping.nullable().default(null),
  job_variables: mapping.nullable().default(null),
  schedule_after: atLeast(0).default(spellFloat(0)),
});

/**
 * One item of `triggers` after templating, read as Prefect's own models read it: what they accept, with their
 * defaults and leniencies (contracts/deploy.md §4.7; prefect/events/schemas/deployment_triggers.py). One thing more is
 * refused: a duration as text in a Proactive trigger, at which Prefect's CLI breaks off with a TypeError.
 */
export const triggerSpec: z.ZodType<TriggerSpec> = z.unknown().transform((value, context): TriggerSpec => {
  if (!isMapping(value)) return refuse(context, mustBe('a mapping', value), { wanted: 'a mapping' });
  const trigger = readKind(value, outerKind(value), context);
  const { name, ...fields } = nested(common, value, context);
  return { ...fields, name: name ?? null, trigger };
});
