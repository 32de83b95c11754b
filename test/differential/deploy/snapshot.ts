import { isJsonObject, type Json, type JsonObject } from '@slipway/prefect/json';
import { z } from 'zod';
import type { Stage } from './project.ts';
import type { Server } from './server.ts';

/**
 * What a server has of one project, so that two servers can be compared: ids become names, moments of a deploy become
 * the deploy's name, lists without an order get one, and what two servers can never share goes.
 */
export type Snapshot = JsonObject;

/** When a deploy ran; moments in it are told as `<first>`. */
export interface Span {
  readonly stage: Stage;
  readonly from: number;
  readonly until: number;
}

const text = z.string();
const object = z.custom<JsonObject>(isJsonObject);
export const list = (value: Json): JsonObject[] => z.array(object).parse(value);

/** Everything of the kinds that deploys make. */
export interface Records {
  readonly flows: readonly JsonObject[];
  readonly deployments: readonly JsonObject[];
  readonly automations: readonly JsonObject[];
  readonly limits: readonly JsonObject[];
  readonly queues: readonly JsonObject[];
}

export async function readRecords(server: Server): Promise<Records> {
  const all = async (path: string): Promise<JsonObject[]> => {
    const found: JsonObject[] = [];
    for (let offset = 0; ; offset += 200) {
      const page = list(await server.ask('POST', path, { limit: 200, offset }));
      found.push(...page);
      if (page.length < 200) return found;
    }
  };
  return {
    flows: await all('/flows/filter'),
    deployments: await all('/deployments/filter'),
    automations: await all('/automations/filter'),
    limits: await all('/v2/concurrency_limits/filter'),
    queues: await all('/work_queues/filter'),
  };
}

/** What `now` has and `before` had not, and the flows of those deployments. */
export function added(now: Records, before: Records): Records {
  const without = (kind: keyof Records): JsonObject[] => {
    const known = new Set(before[kind].map(({ id }) => id));
    return now[kind].filter(({ id }) => !known.has(id ?? null));
  };
  const deployments = without('deployments');
  const used = new Set(deployments.map((deployment) => deployment.flow_id));
  const fresh = new Set(without('flows').map(({ id }) => id));
  return {
    flows: now.flows.filter(({ id }) => used.has(id) || fresh.has(id)),
    deployments,
    automations: without('automations'),
    limits: without('limits'),
    queues: without('queues'),
  };
}

/** Fields that say when and where something was made, and never what. */
const CIRCUMSTANCES = ['id', 'created', 'updated', 'created_by', 'updated_by'];
const OF_A_DEPLOYMENT = ['flow_id', 'work_queue_id', 'last_polled', 'status', 'schedules', 'global_concurrency_limit'];

/**
 * @param records of the project alone.
 * @param spans of the deploys until now.
 * @param places texts that differ between the two sides, and what to say instead: the path of the checkout.
 */
export function snapshotOf(
  records: Records,
  spans: readonly Span[],
  places: Readonly<Record<string, string>>,
): Snapshot {
  const flowNames = new Map(records.flows.map(({ id, name }) => [id, text.parse(name)]));
  const names = new Map(records.deployments.map((one) => [one.id, `${flowNames.get(one.flow_id)}/${one.name}`]));
  const idsAndPlaces = {
    ...places,
    ...Object.fromEntries([...flowNames, ...names].map(([id, name]) => [String(id), `<${name}>`])),
  };
  const told = (value: Json): Json => rewrite(value, (one) => withoutMoments(withNames(one, idsAndPlaces), spans));
  return object.parse(
    told({
      flows: keyed(records.flows, (flow) => text.parse(flow.name), CIRCUMSTANCES),
      deployments: Object.fromEntries(records.deployments.map((one) => [names.get(one.id), deploymentOf(one)])),
      automations: keyed(records.automations, (one) => text.parse(one.name), CIRCUMSTANCES, automationOf),
      limits: keyed(records.limits, (one) => withNames(text.parse(one.name), idsAndPlaces), [
        ...CIRCUMSTANCES,
        'active_slots',
        'denied_slots',
      ]),
      queues: records.queues.map(({ name }) => name ?? null).sort(),
    }),
  );
}

function deploymentOf(deployment: JsonObject): JsonObject {
  const limit = deployment.global_concurrency_limit;
  const schedules = list(deployment.schedules ?? []).map((one) => without(one, [...CIRCUMSTANCES, 'deployment_id']));
  return {
    ...without(deployment, [...CIRCUMSTANCES, ...OF_A_DEPLOYMENT]),
    global_concurrency_limit: isJsonObject(limit) ? (limit.limit ?? null) : null,
    schedules: schedules.sort(inOrder),
  };
}

/** `after`, `expect` and the like are sets, which Python sends in any order. */
const SETS = ['after', 'expect', 'for_each'];

function automationOf(value: Json): Json {
  if (Array.isArray(value)) return value.map(automationOf);
  if (!isJsonObject(value)) return value;
  return Object.fromEntries(
    Object.entries(without(value, ['id'])).map(([key, member]): [string, Json] => [
      key,
      SETS.includes(key) && Array.isArray(member) ? [...member].sort(inOrder) : automationOf(member),
    ]),
  );
}

/** By name, those of one name in a fixed order. */
function keyed(
  records: readonly JsonObject[],
  nameOf: (record: JsonObject) => string,
  leftOut: readonly string[],
  change: (value: Json) => Json = (value) => value,
): JsonObject {
  const result: JsonObject = {};
  const told = records.map((one): [string, Json] => [nameOf(one), change(without(one, leftOut))]);
  for (const [name, record] of told.sort(inOrder)) {
    let key = name;
    for (let count = 2; key in result; count += 1) key = `${name} (${count})`;
    result[key] = record;
  }
  return result;
}

function without(record: JsonObject, keys: readonly string[]): JsonObject {
  return Object.fromEntries(Object.entries(record).filter(([key]) => !keys.includes(key)));
}

function rewrite(value: Json, change: (text: string) => string): Json {
  if (typeof value === 'string') return change(value);
  if (Array.isArray(value)) return value.map((one) => rewrite(one, change));
  if (!isJsonObject(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, rewrite(one, change)]));
}

function withNames(value: string, names: Readonly<Record<string, string>>): string {
  return Object.entries(names).reduce((now, [from, to]) => now.replaceAll(from, to), value);
}

/** A moment as the API writes it, or the beginning of a recurrence rule. */
const MOMENT = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|\+00:00)$/;
const RULE_START = /^DTSTART:(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)$/m;

function withoutMoments(value: string, spans: readonly Span[]): string {
  const stageAt = (moment: number): Stage | undefined =>
    spans.find(({ from, until }) => from <= moment && moment <= until)?.stage;
  if (MOMENT.test(value)) {
    const stage = stageAt(Date.parse(value));
    return stage === undefined ? value : `<${stage}>`;
  }
  return value.replace(RULE_START, (whole, ...parts: string[]) => {
    const [year, month, day, hour, minute, second] = parts;
    const stage = stageAt(Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`));
    return stage === undefined ? whole : `DTSTART:<${stage}>`;
  });
}

/** Any fixed order will do, as long as it does not hang on the order of keys. */
function inOrder(a: Json, b: Json): number {
  const [one, other] = [canonical(a), canonical(b)];
  return one < other ? -1 : one > other ? 1 : 0;
}

/** JSON text with the keys of mappings in order; numbers as they are spelled. */
export function canonical(value: Json, indent?: number): string {
  const sorted = (one: Json): Json => {
    if (Array.isArray(one)) return one.map(sorted);
    if (!isJsonObject(one)) return one;
    const entries = Object.entries(one).map(([key, member]): [string, Json] => [key, sorted(member)]);
    return Object.fromEntries(entries.sort(([x], [y]) => (x < y ? -1 : 1)));
  };
  return JSON.stringify(sorted(value), undefined, indent);
}
