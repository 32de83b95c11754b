import { isJsonObject, type Json, type JsonObject, sameJson } from '@slipway/prefect/json';
import type { SchemaPolicy } from '../flow/image/source.ts';
import type { Flow } from '../flow/index.ts';
import type { Position } from '../project/model.ts';
import { placeOf } from '../project/place.ts';
import type { Actual, DesiredDeployment } from './model.ts';

export interface SettledSchemas {
  readonly deployments: readonly DesiredDeployment[];
  /** What a person should hear of: a schema that is not exact, or not known before the deploy. */
  readonly notes: readonly { readonly level: 'warning' | 'info'; readonly text: string; readonly where: Position }[];
}

/**
 * Gives each deployment the parameter schema it will have (design.md, `schema`): an exact one as it is; in place of an
 * inexact one what the server has, as long as that can still be true of the flow; else the honest one, in which a
 * parameter of unknown type takes everything. Pure.
 *
 * @param flows those of the deployments, in their order.
 */
export function settleSchemas(
  deployments: readonly DesiredDeployment[],
  flows: readonly Flow[],
  actual: Pick<Actual, 'deployments'>,
  policy: SchemaPolicy,
): SettledSchemas {
  const notes: SettledSchemas['notes'][number][] = [];
  const settled = deployments.map((deployment, index): DesiredDeployment => {
    const read = flows[index]?.parameters;
    if (read === undefined || read.kind === 'exact') return deployment;
    const note = (level: 'warning' | 'info', text: string) =>
      notes.push({ level, text: `deployment ${deployment.name}: ${text}`, where: placeOf(deployment, 'entrypoint') });
    const stored = actual.deployments.get(deployment.name)?.parameter_openapi_schema ?? undefined;
    const kept = stored !== undefined && mayBe(stored, read.schema, read.hasAllNames);
    if (read.kind === 'at deploy') {
      note('info', 'its parameter schema is known at deploy, from the image');
      return kept ? withSchema(deployment, stored) : deployment;
    }
    const why = read.reasons.join('; ');
    if (policy === 'static') {
      note('info', `its parameter schema is not exact (${why})`);
      return deployment;
    }
    const instead = kept
      ? 'the one that the server has stays'
      : 'what is not known takes every value, and the form in the UI has no hints for it';
    note('warning', `its parameter schema cannot be known without running the code (${why}); ${instead}`);
    return kept ? withSchema(deployment, stored) : deployment;
  });
  return { deployments: settled, notes };
}

function withSchema(deployment: DesiredDeployment, schema: JsonObject): DesiredDeployment {
  return { ...deployment, fields: { ...deployment.fields, parameter_openapi_schema: schema } };
}

/**
 * Whether a stored schema can still be the flow's: the same parameters, required alike, of the types that are known. One
 * that is not would refuse runs that the flow takes.
 */
function mayBe(stored: JsonObject, read: JsonObject, hasAllNames: boolean): boolean {
  if (!isJsonObject(stored.properties)) return false;
  if (!hasAllNames) return true;
  const [then, now] = [stored.properties, isJsonObject(read.properties) ? read.properties : {}];
  if (!sameJson(names(Object.keys(then)), names(Object.keys(now)))) return false;
  if (!sameJson(names(stored.required), names(read.required))) return false;
  return Object.entries(now).every(([name, property]) => {
    const before = then[name];
    if (!isJsonObject(property) || !isJsonObject(before)) return false;
    return TYPE_KEYS.every((key) => property[key] === undefined || sameJson(property[key], before[key]));
  });
}

const TYPE_KEYS = ['type', 'enum', 'const', '$ref', 'anyOf', 'items'] as const;

function names(value: Json | undefined): Json {
  return Array.isArray(value) ? value.map(String).sort() : [];
}
