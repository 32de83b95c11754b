import type { Json, JsonObject } from '@slipway/prefect/json';
import { type Change, changes, type Plan } from '../deploy/model.ts';
import { type Budget, openBudget } from './budget.ts';
import { scheduleChanges } from './schedule-details.ts';

/**
 * The plan for a program: the output `plan`. Field names are the API's own. Where it would be longer than `limit`, the
 * changes that do not fit are counted (`changes_left_out` of an object, `left_out` of the plan), and after them objects,
 * unchanged ones first; a plan without `left_out` is whole.
 *
 * @param limit characters of the JSON text.
 */
export function planJson(plan: Plan, limit = Number.POSITIVE_INFINITY): JsonObject {
  const whole = withObjects(plan, planObjects(plan));
  return JSON.stringify(whole).length <= limit ? whole : shortened(plan, limit);
}

type Kind = 'work_pools' | 'deployments' | 'automations' | 'slas';

interface PlanObject {
  readonly kind: Kind;
  readonly fields: JsonObject;
  readonly changes: readonly JsonObject[] | undefined;
}

function planObjects(plan: Plan): PlanObject[] {
  return [
    ...plan.workPools.map((planned) => ({
      kind: 'work_pools' as const,
      fields: { name: planned.name, action: planned.action },
      changes: planned.action === 'change' ? planned.changes.map(changeJson) : undefined,
    })),
    ...plan.deployments.map((planned) => ({
      kind: 'deployments' as const,
      fields: { name: planned.desired.name, action: planned.action },
      changes:
        planned.action === 'change'
          ? [...planned.changes, ...scheduleChanges(planned.schedules)].map(changeJson)
          : undefined,
    })),
    ...plan.automations.flatMap(({ deployment, automations }) =>
      automations.map((one) => ({
        kind: 'automations' as const,
        fields: { name: one.name, deployment, action: one.action },
        changes: one.action === 'change' ? one.changes.map(changeJson) : undefined,
      })),
    ),
    ...plan.slas.map(({ deployment, slas }) => ({
      kind: 'slas' as const,
      fields: { deployment, names: slas.map(({ name }) => name) },
      changes: undefined,
    })),
  ];
}

function withObjects(plan: Plan, objects: readonly PlanObject[], leftOut?: JsonObject): JsonObject {
  const of = (kind: Kind): Json[] =>
    objects
      .filter((one) => one.kind === kind)
      .map(({ fields, changes: found }) => ({ ...fields, ...(found === undefined ? {} : { changes: [...found] }) }));
  return {
    changed: changes(plan),
    ...(leftOut === undefined ? {} : { left_out: leftOut }),
    work_pools: of('work_pools'),
    deployments: of('deployments'),
    automations: of('automations'),
    slas: of('slas'),
  };
}

/** Characters around an object and a change: names of keys, brackets, commas, and the number of what was left out. */
const AROUND = 60;

function shortened(plan: Plan, limit: number): JsonObject {
  const budget = openBudget(limit - 4 * AROUND, (text) => text.length + AROUND);
  const [still, moving] = [true, false].map((unchanged) =>
    planObjects(plan).filter(({ fields }) => (fields.action === 'unchanged') === unchanged),
  );
  const size = ({ fields }: PlanObject) => JSON.stringify(fields);
  const changing = budget.take(moving ?? [], size);
  const unchanged = budget.take(still ?? [], size);
  let changesLeft = 0;
  const objects = changing.taken.map((one): PlanObject => {
    const { taken, left } = takeChanges(one, budget);
    if (left === 0) return one;
    changesLeft += left;
    return { ...one, fields: { ...one.fields, changes_left_out: left }, changes: taken };
  });
  return withObjects(plan, [...objects, ...unchanged.taken], {
    changes: changesLeft,
    objects: changing.left.length,
    unchanged: unchanged.left.length,
  });
}

function takeChanges({ changes: found = [] }: PlanObject, budget: Budget) {
  const { taken, left } = budget.take(found, (change) => JSON.stringify(change));
  return { taken, left: left.length };
}

/** A field that changes; what is absent has no key. */
function changeJson({ field, before, after }: Change): JsonObject {
  return { field, ...(before === undefined ? {} : { before }), ...(after === undefined ? {} : { after }) };
}
