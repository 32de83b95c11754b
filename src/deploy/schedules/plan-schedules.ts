import type { ScheduleRecord } from '@slipway/prefect/client';
import type { JsonObject } from '@slipway/prefect/json';
import { Problem, throwIfAny } from '../../problem.ts';
import { scheduleChanges, settledTimes, timesChanges, timesText } from './compare.ts';
import type { DesiredSchedule, SchedulePlan, ScheduleWrite } from './model.ts';

/** A wanted schedule and the one on the server that it is about. */
interface Pair {
  readonly desired: DesiredSchedule;
  readonly actual: ScheduleRecord | undefined;
}

/**
 * What has to be written so that a deployment's schedules are as `prefect deploy` would leave them (contracts/deploy.md
 * §4.6): by slug where all on the server have one, and others stay; else the list of prefect.yaml is all there is. What
 * is as wanted is not written, and keeps its id, and whether it is active where prefect.yaml does not say.
 *
 * @param desired undefined when prefect.yaml does not manage schedules.
 * @returns undefined when there is nothing to write.
 * @throws Problem or Problems for what a server would refuse: a missing slug, a name that is taken.
 */
export function planSchedules(
  desired: readonly DesiredSchedule[] | undefined,
  actual: readonly ScheduleRecord[],
): SchedulePlan | undefined {
  if (desired === undefined || desired.length === 0) return undefined;
  const slugs = new Map(actual.flatMap((record) => (record.slug ? [[record.slug, record] as const] : [])));
  const bySlug = actual.length > 0 && actual.every((record) => record.slug !== null && record.slug !== undefined);
  const pairs = bySlug ? pairsBySlug(desired, slugs) : pairsByContent(desired, actual);
  const kept = new Set(pairs.map((pair) => pair.actual));
  const removed = bySlug ? [] : actual.filter((record) => !kept.has(record));

  const changed = pairs.flatMap((pair) => writeOf(pair) ?? []);
  const writes = [...changed, ...removed.map((record) => removalOf(record))];
  if (writes.length === 0) return undefined;
  const single = writes.filter((write) => write.action !== 'create');
  if (!bySlug && single.length === writes.length) return { how: 'singly', writes: single };
  return { how: 'together', writes, list: pairs.map((pair) => listItem(pair, bySlug)) };
}

function writeOf({ desired, actual }: Pair): Exclude<ScheduleWrite, { action: 'remove' }> | undefined {
  const name = desired.slug ?? timesText(desired.times);
  if (actual === undefined) return { action: 'create', name, desired };
  const changes = scheduleChanges(desired, actual);
  if (changes.length === 0) return undefined;
  return { action: 'change', name, id: actual.id, body: bodyOf(desired, actual), changes };
}

function removalOf(actual: ScheduleRecord): Extract<ScheduleWrite, { action: 'remove' }> {
  return { action: 'remove', name: actual.slug ?? timesText(actual.schedule), actual };
}

/** A schedule as create and update take it; what is left out is the server's default, or as it was. */
export function bodyOf(desired: DesiredSchedule, actual?: ScheduleRecord): JsonObject {
  return {
    schedule: { ...(actual === undefined ? desired.times : settledTimes(desired.times, actual.schedule)) },
    ...(desired.active === undefined ? {} : { active: desired.active }),
    parameters: desired.parameters,
    ...(desired.slug === undefined ? {} : { slug: desired.slug }),
  };
}

function listItem({ desired, actual }: Pair, bySlug: boolean): JsonObject {
  const body = bodyOf(desired, actual);
  if (actual === undefined) return body;
  // Without slugs the server creates it anew: what prefect.yaml does not say has to be said for it.
  if (!bySlug) return { active: actual.active ?? true, ...body };
  return actual.slug === desired.slug ? body : { ...body, replaces: actual.slug ?? null };
}

/** Pairs where all schedules on the server have slugs; `replaces` renames what has not been renamed before. */
function pairsBySlug(desired: readonly DesiredSchedule[], slugs: ReadonlyMap<string, ScheduleRecord>): Pair[] {
  throwIfAny(
    desired
      .filter((one) => one.slug === undefined)
      .map(
        (one) =>
          new Problem('a schedule has no slug, but all those that the deployment has on the server have one', {
            where: one.where,
            remedy: `Give it a slug; there are ${[...slugs.keys()].join(', ')}.`,
          }),
      ),
  );
  const plain = desired.map((one): Pair => ({ desired: one, actual: slugs.get(one.slug ?? '') }));
  const renames = desired.filter((one) => one.replaces !== one.slug && slugs.has(one.replaces ?? ''));
  // An exchange of names that was made by an earlier deploy stays in the file; it is not made again.
  const isDone = plain.every(
    (pair) =>
      !renames.includes(pair.desired) || (pair.actual && scheduleChanges(pair.desired, pair.actual).length === 0),
  );
  if (isDone) return plain;
  throwIfAny(renamingProblems(desired, renames, slugs));
  return plain.map((pair) =>
    renames.includes(pair.desired) ? { ...pair, actual: slugs.get(pair.desired.replaces ?? '') } : pair,
  );
}

function renamingProblems(
  desired: readonly DesiredSchedule[],
  renames: readonly DesiredSchedule[],
  slugs: ReadonlyMap<string, ScheduleRecord>,
): Problem[] {
  const renamed = Map.groupBy(renames, (one) => one.replaces ?? '');
  return desired.flatMap((one) => {
    const refuse = (message: string, remedy: string) => [new Problem(message, { where: one.where, remedy })];
    const slug = one.slug ?? '';
    if (!renames.includes(one)) {
      const [other] = renamed.get(slug) ?? [];
      if (other === undefined) return [];
      return refuse(
        `the schedule ${slug} is renamed to ${other.slug ?? ''} by another item, and the server would lose this one`,
        'Deploy the renaming first, then add the new schedule.',
      );
    }
    if (renamed.get(one.replaces ?? '')?.[0] !== one) {
      return refuse(`two schedules replace ${one.replaces ?? ''}`, 'Only one schedule can take the place of another.');
    }
    if (!slugs.has(slug) || renamed.has(slug)) return [];
    return refuse(
      `the schedule ${one.replaces ?? ''} cannot be renamed to ${slug}: there is one of that name on the server`,
      `Remove \`replaces\`, or delete one of the two schedules in the Prefect UI.`,
    );
  });
}

/**
 * Pairs where the list of prefect.yaml is all there is: by slug; then equal ones; then those that run at the same times;
 * then the only two of one kind that are left. A schedule that has a slug on the server cannot lose it.
 */
function pairsByContent(desired: readonly DesiredSchedule[], actual: readonly ScheduleRecord[]): Pair[] {
  const found = new Map<DesiredSchedule, ScheduleRecord>();
  const open = new Set(actual);
  const pair = (one: DesiredSchedule, record: ScheduleRecord | undefined) => {
    if (record === undefined) return;
    found.set(one, record);
    open.delete(record);
  };
  const pairAll = (fits: (one: DesiredSchedule, record: ScheduleRecord) => boolean) => {
    for (const one of desired)
      if (!found.has(one))
        pair(
          one,
          [...open].find((record) => fits(one, record)),
        );
  };
  pairAll((one, record) => one.slug !== undefined && record.slug === one.slug);
  const isNameless = (record: ScheduleRecord) => record.slug === null || record.slug === undefined;
  pairAll((one, record) => isNameless(record) && scheduleChanges(one, record).length === 0);
  pairAll((one, record) => isNameless(record) && timesChanges(one.times, record.schedule).length === 0);
  for (const kind of ['cron', 'interval', 'rrule']) {
    const [one, ...others] = desired.filter((item) => !found.has(item) && kind in item.times);
    const [record, ...more] = [...open].filter((item) => isNameless(item) && kind in item.schedule);
    if (one !== undefined && others.length === 0 && more.length === 0) pair(one, record);
  }
  return desired.map((one) => ({ desired: one, actual: found.get(one) }));
}
