import type { Json, JsonObject } from '@slipway/prefect/json';
import type { PlannedAutomation, PlannedAutomations } from '../deploy/automation.ts';
import { automationLabel } from '../deploy/automations-apply.ts';
import type { PlannedSlas } from '../deploy/slas.ts';
import { changeJson } from './plan-json.ts';
import { changeLine, SIGN, valueText } from './plan-text.ts';

/** Automations of one deployment for a person: one line each, one line a field. */
export function automationLines(planned: PlannedAutomations): string[] {
  return planned.automations.flatMap((one) => linesOf(one, automationLabel(one.name, planned)));
}

function linesOf(one: PlannedAutomation, label: string): string[] {
  switch (one.action) {
    case 'create':
      return [
        `${SIGN.create} ${label} (create)`,
        ...shown(one).map(([field, value]) => `    ${field}: ${valueText(value)}`),
      ];
    case 'change':
      return [`${SIGN.change} ${label} (change)`, ...one.changes.map(changeLine)];
    case 'remove-if-owned':
      return [`? ${label} (removed if its \`triggers\` made it, which only the server can tell)`];
    case 'remove':
    case 'unchanged':
      return [`${SIGN[one.action]} ${label} (${one.action})`];
  }
}

/** What the automation of a new trigger waits for: all it says, but for what is empty. */
function shown({ desired: { spec, unknown } }: Extract<PlannedAutomation, { action: 'create' }>): [string, Json][] {
  const { trigger, enabled, parameters, job_variables } = spec;
  const fields: JsonObject = {
    ...trigger,
    ...(enabled ? {} : { enabled }),
    ...(parameters === null ? {} : { parameters }),
    ...(job_variables === null ? {} : { job_variables }),
    ...Object.fromEntries(unknown.map((key) => [key, '(known at deploy)'])),
  };
  return Object.entries(fields).filter(([, value]) => !isEmpty(value));
}

function isEmpty(value: Json): boolean {
  return value === null || (typeof value === 'object' && JSON.stringify(value).length === 2);
}

/** SLAs of one deployment for a person. */
export function slaLine({ deployment, slas }: PlannedSlas): string {
  const names = slas.map(({ name }) => name).join(', ');
  return `  SLAs of ${deployment}: ${names === '' ? 'none' : names} (sent on every deploy: Prefect does not show what it has)`;
}

/** Automations for a program. */
export function automationsJson(planned: readonly PlannedAutomations[]): JsonObject[] {
  return planned.flatMap(({ deployment, automations }) =>
    automations.map((one) => ({
      name: one.name,
      deployment,
      action: one.action,
      ...(one.action === 'change' ? { changes: one.changes.map(changeJson) } : {}),
    })),
  );
}

/** SLAs for a program. */
export function slasJson(planned: readonly PlannedSlas[]): JsonObject[] {
  return planned.map(({ deployment, slas }) => ({ deployment, names: slas.map(({ name }) => name) }));
}
