import type { JsonObject } from '@slipway/prefect/json';
import type { PlannedAutomation, PlannedAutomations } from '../deploy/automation.ts';
import { automationLabel } from '../deploy/automations-apply.ts';
import type { PlannedSlas } from '../deploy/slas.ts';
import type { Redact } from './difference.ts';
import { changeDetail, type Detail, fieldDetail, type Item } from './item.ts';

/** The automations of one deployment. */
export function automationItems(planned: PlannedAutomations, redact: Redact): Item[] {
  return planned.automations.map((one) => ({
    kind: 'automation',
    name: redact(`${one.name} of ${planned.deployment}`),
    label: redact(automationLabel(one.name, planned)),
    action: one.action,
    ...(one.action === 'remove-if-owned' ? { note: 'if its `triggers` made it, which only the server can tell' } : {}),
    where: 'desired' in one ? one.desired.where : planned.where,
    ...('actual' in one ? { object: { kind: 'automation', id: one.actual.id } } : {}),
    deployment: planned.deployment,
    details: detailsOf(one, redact),
  }));
}

function detailsOf(one: PlannedAutomation, redact: Redact): Detail[] {
  if (one.action === 'change') return one.changes.map((change) => changeDetail(change, redact));
  if (one.action !== 'create') return [];
  return Object.entries(shown(one)).flatMap(([field, value]) => fieldDetail(field, value, redact));
}

/** What the automation of a new trigger waits for: all it says. */
function shown({ desired: { spec, unknown } }: Extract<PlannedAutomation, { action: 'create' }>): JsonObject {
  const { trigger, enabled, parameters, job_variables } = spec;
  return {
    ...trigger,
    ...(enabled ? {} : { enabled }),
    ...(parameters === null ? {} : { parameters }),
    ...(job_variables === null ? {} : { job_variables }),
    ...Object.fromEntries(unknown.map((key) => [key, '(known at deploy)'])),
  };
}

/** The SLAs of one deployment. */
export function slaItem({ deployment, where, slas }: PlannedSlas, redact: Redact): Item {
  const names = slas.map(({ name }) => name).join(', ');
  return {
    kind: 'SLAs',
    name: redact(deployment),
    label: redact(`SLAs of ${deployment}`),
    action: 'send',
    note: `${names === '' ? 'none' : redact(names)}; sent on every deploy, since Prefect does not show what it has`,
    where,
    deployment,
    details: [],
  };
}
