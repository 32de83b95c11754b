import {
  createAutomation,
  deleteAutomation,
  deleteOwnedAutomations,
  type PrefectApi,
  readAutomations,
  updateAutomation,
} from '@slipway/prefect/client';
import type { Log } from '../world.ts';
import type { Attempt } from './attempt.ts';
import {
  automationBody,
  type DesiredAutomation,
  ownerOf,
  type PlannedAutomation,
  type PlannedAutomations,
  updateBody,
} from './automation.ts';
import { STAND_IN } from './automations-diff.ts';

export interface AutomationContext {
  readonly api: PrefectApi;
  readonly attempt: Attempt;
  readonly log: Log;
  readonly signal: AbortSignal;
}

/**
 * Brings the automations of one deployment to what the plan says. As long as all that the file names is there, each is
 * changed in its place. Else they are replaced as a whole, as Prefect's CLI does on every deploy, since only
 * `DELETE /automations/owned-by/…` tells the deployment's own from others'; stand-ins keep watch meanwhile, so that
 * no event is missed, and show that the server takes every one before any is deleted.
 */
export async function applyAutomations(
  planned: PlannedAutomations,
  deploymentId: string,
  context: AutomationContext,
): Promise<void> {
  const { automations } = planned;
  const existing = automations.filter((one) => one.action !== 'create');
  const asks = (action: PlannedAutomation['action']) => automations.some((one) => one.action === action);
  if (asks('remove-if-owned') || (asks('create') && existing.length > 0)) {
    await replaceAll(planned, deploymentId, context);
    return;
  }
  for (const one of automations) await writeOne(one, planned, deploymentId, context);
}

async function writeOne(
  one: PlannedAutomation,
  planned: PlannedAutomations,
  deploymentId: string,
  { api, attempt, log, signal }: AutomationContext,
): Promise<void> {
  const what = automationLabel(one.name, planned);
  switch (one.action) {
    case 'unchanged':
    case 'remove-if-owned':
      return;
    case 'create':
      return await attempt(what, one.desired.where, async () => {
        await createAutomation(api, automationBody(one.desired.spec, deploymentId), signal);
        log.info(`created ${what}`);
      });
    case 'change':
      return await attempt(what, one.desired.where, async () => {
        await updateAutomation(api, one.actual.id, updateBody(one.desired.spec, deploymentId), signal);
        log.info(`changed ${what}`);
      });
    case 'remove':
      return await attempt(what, planned.where, async () => {
        await deleteAutomation(api, one.actual.id, signal);
        log.info(`removed ${what}`);
      });
  }
}

async function replaceAll(
  planned: PlannedAutomations,
  deploymentId: string,
  { api, attempt, log, signal }: AutomationContext,
): Promise<void> {
  const desired = planned.automations.flatMap((one) => ('desired' in one ? [one] : []));
  const standIns: { readonly id: string; readonly name: string; readonly desired: DesiredAutomation }[] = [];
  const dismiss = async (id: string) => await deleteAutomation(api, id, signal);
  const ready = await attempt(`automations of ${planned.deployment}`, planned.where, async () => {
    try {
      for (const { name, desired: one } of desired) {
        const body = { ...updateBody(one.spec, deploymentId), name: `${name}${STAND_IN}` };
        standIns.push({ id: (await createAutomation(api, body, signal)).id, name, desired: one });
      }
      await deleteOwnedAutomations(api, ownerOf(deploymentId), signal);
    } catch (error) {
      for (const { id } of standIns) await dismiss(id);
      throw error;
    }
    return true;
  });
  if (ready === undefined) return;
  for (const { id, name, desired: one } of standIns) {
    // One that cannot be made at last keeps its stand-in; the next run finds it by its name.
    await attempt(automationLabel(name, planned), one.where, async () => {
      await createAutomation(api, automationBody(one.spec, deploymentId), signal);
      await dismiss(id);
    });
  }
  for (const one of planned.automations) {
    if (one.action === 'remove') await writeOne(one, planned, deploymentId, { api, attempt, log, signal });
  }
  if (desired.length > 0) log.info(`replaced the automations of ${planned.deployment}`);
  await sayWhatWasOwned(planned, { api, attempt, log, signal });
}

/** Only now it shows which of those that were perhaps the deployment's own have been. */
async function sayWhatWasOwned(planned: PlannedAutomations, { api, log, signal, attempt }: AutomationContext) {
  const perhaps = planned.automations.flatMap((one) => (one.action === 'remove-if-owned' ? [one] : []));
  await attempt(`automations of ${planned.deployment}`, planned.where, async () => {
    const ids = perhaps.map(({ actual }) => actual.id);
    const left = new Set((await readAutomations(api, signal, ids))?.map(({ id }) => id));
    for (const { name, actual } of perhaps) {
      if (!left.has(actual.id)) log.info(`removed ${automationLabel(name, planned)}`);
    }
  });
}

/** What an automation is called in messages. */
export function automationLabel(name: string, { deployment }: Pick<PlannedAutomations, 'deployment'>): string {
  return `automation ${name} of ${deployment}`;
}
