import { isJsonObject, type Json, type JsonObject } from '@slipway/prefect/json';
import { applyValues, findPlaceholders } from '@slipway/prefect/template';
import type { z } from 'zod';
import { Problem, throwIfAny } from '../problem.ts';
import type { IssueParams } from '../project/lax.ts';
import { placeOf } from '../project/place.ts';
import { isUnknown, KNOWN_AT_DEPLOY } from '../steps/foresight.ts';
import type { DesiredAutomation, DesiredAutomations } from './automation.ts';
import type { Configuration } from './configuration.ts';
import type { ReadyEntry } from './desired.ts';
import type { DesiredDeployment } from './model.ts';
import { serverRefuses } from './trigger-rules.ts';
import { type TriggerSpec, triggerSpec } from './trigger-spec.ts';

interface TriggerContext {
  readonly env: Readonly<Record<string, string>>;
  /** Prefect Cloud has metric triggers, a server of one's own has not. */
  readonly cloud: boolean;
}

/**
 * What can be said against the `triggers` of an entry before a step runs; keys that still wait for a step's output
 * are left for `desiredAutomations`.
 */
export function checkTriggers(configurations: readonly Configuration[], cloud: boolean): Problem[] {
  return configurations.flatMap((configuration) =>
    specsOf(configuration).flatMap((spec, index) => {
      const { parameters, ...rest } = spec;
      return readTrigger(withParameters(rest, parameters), holdsPlaceholder, { configuration, index, cloud }).problems;
    }),
  );
}

/**
 * The automations that `triggers` ask for, once all steps have run: each spec filled with their outputs, but for its
 * `parameters`, whose `{{ event.… }}` is for the server (contracts/deploy.md §1.10, order 8; §4.7). Absent, null and
 * empty all mean none.
 *
 * @param entries in the order of `deployments`.
 * @throws Problem or Problems for what Prefect's own models or the server would refuse.
 */
export function desiredAutomations(
  entries: readonly ReadyEntry[],
  deployments: readonly DesiredDeployment[],
  { env, cloud }: TriggerContext,
): DesiredAutomations[] {
  const problems: Problem[] = [];
  const desired = deployments.flatMap((deployment, position): DesiredAutomations[] => {
    const entry = entries[position];
    if (entry === undefined) return [];
    const { configuration, prepared } = entry;
    const automations = specsOf(configuration).map(({ parameters, ...rest }, index) => {
      const filled = applyValues(rest, prepared.outputs, { env, missing: 'remove' });
      const read = readTrigger(withParameters(filled, parameters), isUnknown, { configuration, index, cloud });
      problems.push(...read.problems);
      return read.automation;
    });
    return [
      {
        deployment: deployment.name,
        defaultName: configuration.name,
        workPoolName: deployment.fields.work_pool_name,
        where: placeOf(configuration.entry, 'triggers'),
        automations,
      },
    ];
  });
  throwIfAny(problems);
  return desired;
}

function specsOf(configuration: Configuration): JsonObject[] {
  const { triggers } = configuration.settings;
  return Array.isArray(triggers) ? triggers.filter(isJsonObject) : [];
}

function withParameters(spec: JsonObject, parameters: Json | undefined): JsonObject {
  return parameters === undefined || parameters === null ? spec : { ...spec, parameters };
}

function holdsPlaceholder(value: Json): boolean {
  return findPlaceholders(JSON.stringify(value)).length > 0;
}

/** Keys that decide what the others mean: while one of them is open, nothing can be said. */
const DECISIVE = ['type', 'posture', 'triggers', 'require', 'metric'];

interface Place {
  readonly configuration: Configuration;
  readonly index: number;
  readonly cloud: boolean;
}

/** Reads one spec; keys whose values are `open` are not looked at, `parameters` always are. */
function readTrigger(
  spec: JsonObject,
  open: (value: Json) => boolean,
  { configuration, index, cloud }: Place,
): { readonly automation: DesiredAutomation; readonly problems: readonly Problem[] } {
  const { entry } = configuration;
  const unknown = Object.keys(spec).filter((key) => key !== 'parameters' && open(spec[key] ?? null));
  const where = placeOf(entry, `triggers.${index}`);
  const named = { name: `${configuration.name}__automation_${index + 1}`, ...spec };
  const undecided = unknown.some((key) => DECISIVE.includes(key));
  const known = Object.entries(named).filter(([key]) => !unknown.includes(key) && !(undecided && isTriggerKey(key)));
  const read = triggerSpec.safeParse(Object.fromEntries(known));
  if (!read.success) {
    const problems = read.error.issues.map((issue) => problemOf(issue, configuration, index));
    return { automation: { spec: unread(spec), unknown, where }, problems };
  }
  const refused = undecided ? undefined : serverRefuses(read.data, { cloud, open: unknown });
  const problems =
    refused === undefined
      ? []
      : [
          new Problem(`deployment ${configuration.name}: triggers[${index}] ${refused.reason}`, {
            where: refused.key === '' ? where : placeOf(entry, `triggers.${index}.${refused.key}`),
            remedy: refused.remedy,
          }),
        ];
  const automation = undecided
    ? { spec: { ...read.data, trigger: {} }, unknown: [...unknown, 'trigger'], where }
    : { spec: read.data, unknown, where };
  return { automation, problems };
}

const AUTOMATION_KEYS = ['name', 'description', 'enabled', 'parameters', 'job_variables', 'schedule_after'];

function isTriggerKey(key: string): boolean {
  return !AUTOMATION_KEYS.includes(key);
}

/** Stands for a spec with problems until they are thrown. */
function unread(spec: JsonObject): TriggerSpec {
  return {
    name: KNOWN_AT_DEPLOY,
    description: '',
    enabled: true,
    trigger: spec,
    parameters: null,
    job_variables: null,
    schedule_after: 0,
  };
}

function problemOf(issue: z.core.$ZodIssue, configuration: Configuration, index: number): Problem {
  const path = issue.path.map((step) => (typeof step === 'number' ? `[${step}]` : `.${String(step)}`)).join('');
  const params: IssueParams = issue.code === 'custom' ? (issue.params ?? {}) : {};
  return new Problem(`deployment ${configuration.name}: triggers[${index}]${path} ${issue.message}`, {
    where: placeOf(configuration.entry, ['triggers', index, ...issue.path].map(String).join('.')),
    remedy:
      params.remedy ??
      `Write ${params.wanted ?? 'what Prefect expects'}; https://docs.prefect.io/v3/concepts/event-triggers tells what each key holds.`,
  });
}
