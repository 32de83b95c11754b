import { isJsonObject, type Json, type JsonObject, SpelledNumber } from '@slipway/prefect/json';
import { unresolved } from '@slipway/prefect/template';
import { Problem } from '../problem.ts';
import type { Entry, Position, WorkPoolEntry } from '../project/model.ts';
import { placeOf } from '../project/place.ts';

/** What names of flows, deployments, pools and queues may hold (contracts/deploy.md §5.2; prefect/types/names.py). */
export const NAME = /^[^/%&><]+$/;
const NAME_REMEDY = 'Leave out the characters / % & < and >.';
const STRATEGIES = ['ENQUEUE', 'CANCEL_NEW'];
const GRACE = { least: 60, most: 86_400 };

/**
 * What a server refuses of one deployment's settings although prefect.yaml may hold it (contracts/deploy.md §1.5, §4.2):
 * found here, before anything is written. Texts that still hold placeholders are passed over, so that the settings may
 * come before or after the steps.
 */
export function deploymentRules(settings: JsonObject, entry: Pick<Entry, 'positions' | 'where' | 'name'>): Problem[] {
  const label = `deployment ${entry.name ?? ''}`;
  const pool = isJsonObject(settings.work_pool) ? settings.work_pool : {};
  const queue = pool.work_queue_name;
  const problems = concurrencyRules(settings.concurrency_limit, label, (key) => placeOf(entry, key));
  if (isFilled(queue) && queue !== '' && !NAME.test(queue)) {
    problems.push(
      new Problem(`${label}: "${queue}" cannot be the name of a work queue`, {
        where: placeOf(entry, 'work_pool.work_queue_name'),
        remedy: NAME_REMEDY,
      }),
    );
  }
  return problems;
}

function concurrencyRules(written: Json | undefined, label: string, place: (key: string) => Position): Problem[] {
  const problems: Problem[] = [];
  const refuse = (key: string, message: string, remedy: string): void => {
    problems.push(new Problem(`${label}: ${key} ${message}`, { where: place(key), remedy }));
  };
  const mapping = isJsonObject(written) ? written : {};
  const key = isJsonObject(written) ? 'concurrency_limit.limit' : 'concurrency_limit';
  const limit = numberOf(isJsonObject(written) ? mapping.limit : written);
  if (limit !== undefined && limit < 1) {
    refuse(
      key,
      `is ${limit}, but must be 1 or more`,
      'To have no limit write null; to start no runs write `paused: true`.',
    );
  }
  const strategy = mapping.collision_strategy;
  if (isFilled(strategy) && !STRATEGIES.includes(strategy)) {
    const what = `is "${strategy}", which Prefect does not know`;
    refuse('concurrency_limit.collision_strategy', what, `Write one of ${STRATEGIES.join(', ')}.`);
  }
  const grace = numberOf(mapping.grace_period_seconds);
  if (grace !== undefined && (grace < GRACE.least || grace > GRACE.most)) {
    const what = `is ${grace}, but must be from ${GRACE.least} to ${GRACE.most}`;
    refuse('concurrency_limit.grace_period_seconds', what, 'Correct it, or leave it out.');
  }
  return problems;
}

/** Why no server lets a new pool, or a queue of it, have its name (contracts/deploy.md §5.2). */
export function workPoolNameRules(entry: WorkPoolEntry, isNew: boolean): Problem[] {
  const problems: Problem[] = [];
  const refuse = (key: string, message: string, remedy: string): void => {
    problems.push(new Problem(message, { where: placeOf(entry, key), remedy }));
  };
  const { name } = entry;
  if (isNew && /^prefect/i.test(name)) {
    const what = `work pool "${name}": names that begin with "prefect" are the server’s own`;
    refuse('name', what, 'Choose another name.');
  } else if (isNew && (!NAME.test(name) || name.trim() === '')) {
    refuse('name', `"${name}" cannot be the name of a work pool`, NAME_REMEDY);
  }
  for (const [index, queue] of (entry.queues ?? []).entries()) {
    if (NAME.test(queue.name)) continue;
    const what = `work pool "${name}": "${queue.name}" cannot be the name of a work queue`;
    refuse(`queues.${index}.name`, what, NAME_REMEDY);
  }
  return problems;
}

function isFilled(value: Json | undefined): value is string {
  return typeof value === 'string' && unresolved(value).length === 0;
}

function numberOf(value: Json | undefined): number | undefined {
  if (value instanceof SpelledNumber) return value.valueOf();
  return typeof value === 'number' ? value : undefined;
}
