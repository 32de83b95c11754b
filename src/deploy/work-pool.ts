import { type JsonObject, sameJson } from '@slipway/prefect/json';
import {
  customizeTemplate,
  unsettledOperations,
  validateDefaults,
  WorkPoolTemplateError,
} from '@slipway/prefect/workpool';
import { Problem, throwIfAny } from '../problem.ts';
import type { WorkPoolEntry, WorkQueueEntry } from '../project/model.ts';
import { placeOf } from '../project/place.ts';
import { leafChanges } from './leaf-changes.ts';
import type { ActualWorkPool, ActualWorkPools, Change, DesiredWorkPool, PlannedWorkPool, QueueWrite } from './model.ts';
import { workPoolNameRules } from './server-rules.ts';

/**
 * What one entry of `work_pools:` asks to be written. Only keys that are written in prefect.yaml are managed; the
 * template of an existing pool is changed only where `variables`, `patch` or a template of its own say so.
 *
 * @throws Problem with the entry's place when it cannot be done.
 */
export function planWorkPool(desired: DesiredWorkPool, actual: ActualWorkPools): PlannedWorkPool {
  const { entry, name } = desired;
  const { where } = entry;
  const existing = actual.workPools.get(name);
  const type = existing?.pool.type ?? entry.type ?? 'kubernetes';
  if (existing !== undefined && entry.type !== undefined && entry.type !== existing.pool.type) {
    throw new Problem(
      `work pool "${name}" is of type ${existing.pool.type} on the server, but prefect.yaml says ${entry.type}`,
      {
        where: entry.positions.get('type') ?? where,
        remedy: 'A pool cannot change its type: correct the type, or choose another name for the new pool.',
      },
    );
  }
  throwIfAny(workPoolNameRules(entry, existing === undefined));
  const template = templateFor(desired, existing, actual, type);
  const wanted: JsonObject = {
    ...(entry.description === undefined ? {} : { description: entry.description }),
    ...(entry.paused === undefined ? {} : { is_paused: entry.paused }),
    ...(entry.concurrency_limit === undefined ? {} : { concurrency_limit: entry.concurrency_limit }),
    ...(template === undefined ? {} : { base_job_template: template }),
  };
  const queues = planQueues(entry.queues ?? [], existing);
  if (existing === undefined) return { action: 'create', name, where, type, body: { name, type, ...wanted }, queues };

  const before: JsonObject = {
    description: existing.pool.description ?? null,
    is_paused: existing.pool.is_paused,
    concurrency_limit: existing.pool.concurrency_limit ?? null,
    base_job_template: existing.pool.base_job_template,
  };
  const body = Object.fromEntries(Object.entries(wanted).filter(([key, value]) => !sameJson(before[key], value)));
  const changes: Change[] = [
    ...Object.keys(body).flatMap((key) => leafChanges(key, before[key], body[key])),
    ...queues.flatMap((queue) => queue.changes),
  ];
  if (changes.length === 0) return { action: 'unchanged', name, where };
  return { action: 'change', name, where, body, queues, changes };
}

function templateFor(
  desired: DesiredWorkPool,
  existing: ActualWorkPool | undefined,
  actual: ActualWorkPools,
  type: string,
): JsonObject | undefined {
  const { entry } = desired;
  const stored = existing?.pool.base_job_template;
  const untouched = desired.template === undefined && entry.variables === undefined && (entry.patch ?? []).length === 0;
  const filled = stored !== undefined && Object.keys(stored).length > 0;
  if (filled && untouched) return undefined;
  const base = desired.template ?? (filled ? stored : undefined) ?? actual.defaultTemplates.get(type);
  if (base === undefined) {
    throw new Problem(`no default base job template is known for work pools of type ${type}`, {
      where: entry.positions.get('type') ?? entry.where,
      remedy: 'Give the template: `base_job_template:` with a file or the template itself; or check the type.',
    });
  }
  const patch =
    desired.template === undefined && filled ? unsettledOperations(base, entry.patch ?? []) : (entry.patch ?? []);
  try {
    const template = customizeTemplate(base, { variables: entry.variables ?? {}, patch: [...patch] });
    // The server checks defaults only when a pool is created; stored ones are let be.
    if (existing === undefined) {
      throwIfAny(
        validateDefaults(template).map(({ path, message }) =>
          templateProblem(entry, [], `the default of ${path} ${message}`),
        ),
      );
    }
    return template;
  } catch (error) {
    if (!(error instanceof WorkPoolTemplateError)) throw error;
    throwIfAny(error.problems.map(({ at, message }) => templateProblem(entry, at, message, error)));
    throw error;
  }
}

function templateProblem(
  entry: WorkPoolEntry,
  at: readonly (string | number)[],
  message: string,
  cause?: unknown,
): Problem {
  return new Problem(`work pool "${entry.name}": ${message}`, {
    where: placeOf(entry, at.join('.')),
    remedy: 'Correct the entry in work_pools; nothing was written.',
    ...(cause === undefined ? {} : { cause }),
  });
}

function planQueues(entries: readonly WorkQueueEntry[], existing: ActualWorkPool | undefined): QueueWrite[] {
  return entries.flatMap((entry): QueueWrite[] => {
    const wanted: JsonObject = {
      ...(entry.priority === undefined ? {} : { priority: entry.priority }),
      ...(entry.concurrency_limit === undefined ? {} : { concurrency_limit: entry.concurrency_limit }),
      ...(entry.description === undefined ? {} : { description: entry.description }),
      ...(entry.paused === undefined ? {} : { is_paused: entry.paused }),
    };
    const queue = existing?.queues.find((one) => one.name === entry.name);
    // A new pool has a queue named default from the start.
    const there = queue !== undefined || (existing === undefined && entry.name === 'default');
    const field = `queues.${entry.name}`;
    if (!there) {
      const body = { name: entry.name, ...wanted };
      return [{ name: entry.name, action: 'create', body, changes: [{ field, before: undefined, after: body }] }];
    }
    const before: JsonObject = {
      priority: queue?.priority ?? null,
      concurrency_limit: queue?.concurrency_limit ?? null,
      description: queue?.description ?? null,
      is_paused: queue?.is_paused ?? false,
    };
    const body = Object.fromEntries(Object.entries(wanted).filter(([key, value]) => !sameJson(before[key], value)));
    const changes = Object.keys(body).flatMap((key) => leafChanges(`${field}.${key}`, before[key], body[key]));
    return changes.length === 0 ? [] : [{ name: entry.name, action: 'change', body, changes }];
  });
}
