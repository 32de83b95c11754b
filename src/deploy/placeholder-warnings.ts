import { isJsonObject, type Json, type JsonObject } from '@slipway/prefect/json';
import { applyValues, type Placeholder } from '@slipway/prefect/template';
import type { Position } from '../project/model.ts';
import { placeOf } from '../project/place.ts';
import { isUnknown } from '../steps/foresight.ts';
import { type Configuration, fillOutputs } from './configuration.ts';
import type { ReadyEntry } from './desired.ts';

interface Warning {
  readonly message: string;
  readonly where: Position;
}

/** Templated by rules of their own, for which Prefect does not warn (contracts/deploy.md §1.10, order 6 and 8). */
const OTHERS: readonly string[] = ['schedule', 'schedules', 'triggers', 'sla'];

/**
 * Placeholders of a deployment that nothing fills, so that their key is left out or their text becomes empty: the deploy
 * goes on, as in Prefect, and this is all that tells of a misspelt one (contracts/deploy.md §1.10, order 7). The flow's
 * docstring is templated as well, but nobody meant it to be, so it is not warned of.
 */
export function placeholderWarnings(entries: readonly ReadyEntry[], env: Readonly<Record<string, string>>): Warning[] {
  return entries.flatMap(({ configuration, prepared: { outputs } }) => [
    ...missingIn(configuration, outputs, env),
    ...splitTags(configuration, outputs, env),
  ]);
}

/** Tags that a placeholder makes one text of; written ones are warned of when the file is read. */
function splitTags(
  { entry, name, settings }: Configuration,
  outputs: JsonObject,
  env: Readonly<Record<string, string>>,
): Warning[] {
  const written = entry.settings.tags;
  const filled = fillOutputs(settings.tags ?? null, outputs, env);
  if (typeof written !== 'string' || !written.includes('{{')) return [];
  if (typeof filled !== 'string' || filled.length < 2 || isUnknown(filled)) return [];
  const message = `deployment ${name}: tags come to one text, which Prefect splits into single characters; write a list`;
  return [{ message, where: placeOf(entry, 'tags') }];
}

function missingIn(
  { entry, name, entrypoint, workPoolName, settings }: Configuration,
  outputs: JsonObject,
  env: Readonly<Record<string, string>>,
): Warning[] {
  const written = Object.entries(settings).filter(([key]) => !OTHERS.includes(key));
  const texts = new Map<string, string>();
  for (const [key, value] of [...written, ['name', name], ['entrypoint', entrypoint]] as const) {
    for (const [path, text] of textsIn(value, key)) texts.set(path, text);
  }
  texts.set('work_pool.name', workPoolName);
  return [...texts].flatMap(([path, text]) => {
    const missing = new Map<string, Placeholder>();
    applyValues(text, outputs, {
      env,
      missing: 'remove',
      skipPrefixes: ['ctx.'],
      onMissing: (placeholder) => missing.set(placeholder.name, placeholder),
    });
    return [...missing.values()].map(({ name: placeholder, fullMatch, kind }) => ({
      message:
        `deployment ${name}: nothing has a value for {{ ${placeholder} }}, so ${path} is ` +
        `${kind === 'standard' && fullMatch === text ? 'left out' : 'sent without it'}; is it the id of a step, and the name of one of its outputs?`,
      where: placeOf(entry, path),
    }));
  });
}

/** The texts of a value with their dotted paths. */
function textsIn(value: Json, path: string): [string, string][] {
  if (typeof value === 'string') return [[path, value]];
  const members = Array.isArray(value) || isJsonObject(value) ? Object.entries(value) : [];
  return members.flatMap(([key, member]) => textsIn(member, `${path}.${key}`));
}
