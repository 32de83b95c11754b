import { applySlas, type PrefectApi } from '@slipway/prefect/client';
import { isJsonObject, type JsonObject } from '@slipway/prefect/json';
import { Problem, throwIfAny } from '../problem.ts';
import type { Position } from '../project/model.ts';
import { placeOf } from '../project/place.ts';
import type { Log } from '../world.ts';
import type { Attempt } from './attempt.ts';
import { ownerOf } from './automation.ts';
import { type Configuration, fillOutputs } from './configuration.ts';
import type { ReadyEntry } from './desired.ts';
import type { DeploymentName, DesiredDeployment } from './model.ts';

/**
 * The SLAs of one deployment, all of them: the server deletes others. It has no endpoint that reads them, so they are
 * sent on every deploy, and the plan cannot say what changes (contracts/deploy.md §4.8).
 */
export interface PlannedSlas {
  readonly deployment: DeploymentName;
  readonly where: Position;
  readonly slas: readonly (JsonObject & { readonly name: string })[];
}

/** `sla`, even an empty one, needs Prefect Cloud; Prefect's CLI finds out after it has written the deployment. */
export function checkSlas(configurations: readonly Configuration[], cloud: boolean): Problem[] {
  if (cloud) return [];
  return configurations.filter(saysSla).map(
    ({ entry, name }) =>
      new Problem(`deployment ${name}: \`sla\` needs Prefect Cloud; a server of one’s own has no SLAs`, {
        where: placeOf(entry, 'sla'),
        remedy: 'Take `sla` out, or deploy to Prefect Cloud.',
      }),
  );
}

/**
 * The SLAs that the entries ask for, step outputs filled in. An entry without `sla`, or with null, asks for nothing
 * and keeps what it has; an empty list asks for none.
 *
 * @param entries in the order of `deployments`.
 * @throws Problem or Problems when a name is no text once it is filled in.
 */
export function desiredSlas(
  entries: readonly ReadyEntry[],
  deployments: readonly DesiredDeployment[],
  env: Readonly<Record<string, string>>,
): PlannedSlas[] {
  const problems: Problem[] = [];
  const desired = deployments.flatMap((deployment, index): PlannedSlas[] => {
    const entry = entries[index];
    if (entry === undefined || !saysSla(entry.configuration)) return [];
    const { configuration, prepared } = entry;
    const filled = fillOutputs(configuration.settings.sla ?? [], prepared.outputs, env);
    const slas = (Array.isArray(filled) ? filled.filter(isJsonObject) : []).flatMap((sla, item) => {
      if (typeof sla.name === 'string') return [{ ...sla, name: sla.name }];
      problems.push(
        new Problem(`deployment ${configuration.name}: sla[${item}].name is no text once it is filled in`, {
          where: placeOf(configuration.entry, `sla.${item}.name`),
          remedy: 'Check the step outputs and variables that it names.',
        }),
      );
      return [];
    });
    return [{ deployment: deployment.name, where: placeOf(configuration.entry, 'sla'), slas }];
  });
  throwIfAny(problems);
  return desired;
}

function saysSla({ settings }: Configuration): boolean {
  return settings.sla !== undefined && settings.sla !== null;
}

/** Sends the SLAs of one deployment; says in the log what that came to. */
export async function writeSlas(
  planned: PlannedSlas,
  deploymentId: string,
  { api, attempt, log, signal }: { api: PrefectApi; attempt: Attempt; log: Log; signal: AbortSignal },
): Promise<void> {
  const owner = ownerOf(deploymentId);
  await attempt(`SLAs of ${planned.deployment}`, planned.where, async () => {
    const bodies = planned.slas.map((sla) => ({ ...sla, owner_resource: owner }));
    const merged = await applySlas(api, owner, bodies, signal);
    for (const [did, names] of Object.entries(merged)) {
      for (const name of names) log.info(`${did} SLA ${name} of ${planned.deployment}`);
    }
  });
}
