import { isJsonObject, type Json, type JsonObject } from '@slipway/prefect/json';
import type { TriggerSpec } from './trigger-spec.ts';

/** Why a server refuses an automation that Prefect's own client would send. */
export interface Refused {
  readonly reason: string;
  readonly remedy: string;
  /** Dotted path below the trigger; empty for the trigger itself. */
  readonly key: string;
}

/** Events of every run that a deployment starts: a trigger on all of them starts itself again. */
const EVERY_RUN = ['Scheduled', 'Pending', 'Running', '*'].map((state) => `prefect.flow-run.${state}`);

/**
 * What the server would refuse only after Prefect's CLI has deleted the old automations: metric triggers on a server
 * of one's own (contracts/deploy.md §4.7), and loops
 * (prefect/server/events/schemas/automations.py `prevent_run_deployment_loops`).
 *
 * @param open keys of the trigger that are not known yet.
 */
export function serverRefuses(
  spec: TriggerSpec,
  { cloud, open }: { readonly cloud: boolean; readonly open: readonly string[] },
): Refused | undefined {
  const metric = cloud ? undefined : metricPlace(spec.trigger, '');
  if (metric !== undefined) {
    return {
      reason: `${metric === '' ? '' : `${metric} `}is a metric trigger, which Prefect Cloud has and a server of one’s own has not`,
      remedy: 'Take it out, or deploy to Prefect Cloud.',
      key: metric,
    };
  }
  const decided = ['enabled', 'match', 'match_related', 'expect'].every((key) => !open.includes(key));
  if (!decided || !spec.enabled || !isLoop(spec.trigger)) return undefined;
  return {
    reason: 'would start the deployment for every run there is, its own included, without an end',
    remedy: 'Say under `match` or `match_related` which runs it is about.',
    key: 'expect',
  };
}

function metricPlace(trigger: JsonObject, prefix: string): string | undefined {
  if (trigger.type === 'metric') return prefix;
  const inner = Array.isArray(trigger.triggers) ? trigger.triggers : [];
  for (const [index, one] of inner.entries()) {
    const place = isJsonObject(one)
      ? metricPlace(one, `${prefix === '' ? '' : `${prefix}.`}triggers.${index}`)
      : undefined;
    if (place !== undefined) return place;
  }
  return undefined;
}

function isLoop(trigger: JsonObject): boolean {
  if (trigger.type !== 'event' || trigger.posture !== 'Reactive') return false;
  const expected = Array.isArray(trigger.expect) ? trigger.expect : [];
  if (!expected.some((event) => EVERY_RUN.includes(String(event)))) return false;
  const related = Array.isArray(trigger.match_related) ? trigger.match_related : [trigger.match_related ?? null];
  return matchesEveryRun(trigger.match ?? null) && related.some(matchesEveryRun);
}

function matchesEveryRun(labels: Json): boolean {
  if (!isJsonObject(labels)) return false;
  const keys = Object.keys(labels);
  if (keys.length === 0) return true;
  const id = labels['prefect.resource.id'];
  return keys.length === 1 && (Array.isArray(id) ? id : [id]).includes('prefect.flow-run.*');
}
