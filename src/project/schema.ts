import type { JsonObject } from '@slipway/prefect/json';
import * as z from 'zod';
import {
  anything,
  bool,
  int,
  isMapping,
  list,
  mapping,
  mustBe,
  nested,
  oneOf,
  refuse,
  secondsDuration,
  shape,
  text,
} from './lax.ts';
import { legacySchedule, scheduleItem } from './schedules.ts';
import { tagItem } from './tags.ts';

/** A plain text is kept: it may be a placeholder for a list. */
const tags = z.unknown().transform((value, context) => {
  if (typeof value === 'string') return value;
  if (!Array.isArray(value)) return refuse(context, mustBe('a list', value), { wanted: 'a list' });
  return nested(z.array(anything), value, context).map(tagItem);
});

const concurrencySpec = shape({
  limit: int.nullish(),
  collision_strategy: text.nullish(),
  grace_period_seconds: int.nullish(),
});

const concurrencyLimit = z.unknown().transform((value, context) => {
  return isMapping(value) ? nested(concurrencySpec, value, context) : nested(int, value, context);
});

const slaCommon = {
  name: text,
  severity: oneOf(['minor', 'low', 'moderate', 'high', 'critical']).optional(),
  enabled: bool.nullish(),
};
/** By the key that tells them apart, in the order in which Prefect prefers them. */
const slaKinds = {
  duration: shape({ ...slaCommon, duration: int }),
  within: shape({ ...slaCommon, within: secondsDuration }),
  stale_after: shape({ ...slaCommon, stale_after: secondsDuration }),
};

const sla = z.unknown().transform((value, context) => {
  if (!isMapping(value)) return refuse(context, mustBe('a mapping', value), { wanted: 'a mapping' });
  if ('duration' in value) return nested(slaKinds.duration, value, context);
  if ('within' in value) return nested(slaKinds.within, value, context);
  if ('stale_after' in value) return nested(slaKinds.stale_after, value, context);
  return refuse(context, 'has none of duration, within and stale_after', {
    remedy: 'Give the one that says what is agreed: how long a run may take, start late, or be the last one.',
  });
});

/**
 * One item of `deployments` (contracts/deploy.md §1.3), but for its steps, which `steps.ts` reads: what Prefect's
 * DeploymentConfig accepts, dumped as it dumps it. Other keys are ignored. Null counts as absent for `work_pool`,
 * `tags`, `parameters` and `job_variables` (design.md, difference 6).
 */
const deploymentShape = shape({
  name: text.nullish(),
  version: text.nullish(),
  version_type: text.nullish(),
  tags: tags.nullish(),
  description: text.nullish(),
  schedule: legacySchedule.nullish(),
  schedules: list(scheduleItem).nullish(),
  paused: bool.nullish(),
  concurrency_limit: concurrencyLimit.nullish(),
  flow_name: text.nullish(),
  entrypoint: text.nullish(),
  parameters: mapping.nullish(),
  enforce_parameter_schema: bool.nullish(),
  work_pool: shape({
    name: text.nullish(),
    work_queue_name: text.nullish(),
    job_variables: mapping.nullish(),
  }).nullish(),
  triggers: list(mapping).nullish(),
  sla: list(sla).nullish(),
});

const deployment = deploymentShape.superRefine((fields, context) => {
  if (!isMapping(fields.schedule) || Object.keys(fields.schedule).length === 0 || fields.schedules === undefined)
    return;
  refuse(context, 'stands beside schedules', { remedy: 'Move it into the list under `schedules`.' }, ['schedule']);
});

export type DeploymentFields = z.output<typeof deployment>;

/** A count that the server wants from 0 up. */
const count = z.unknown().transform((value, context): number => {
  const number = nested(int, value, context);
  if (typeof number === 'number' && number >= 0) return number;
  return refuse(context, mustBe('a whole number from 0 up', value), { wanted: 'a whole number from 0 up' });
});

/** The server takes no priority below 1. */
const priority = z.unknown().transform((value, context): number => {
  const number = nested(count, value, context);
  return number === 0
    ? refuse(context, mustBe('a whole number from 1 up', value), { wanted: 'a whole number from 1 up' })
    : number;
});

const present = z.unknown().transform((value, context): string => {
  const written = nested(text, value, context);
  return written === '' ? refuse(context, 'must not be empty', { wanted: 'text' }) : written;
});

const workQueue = shape(
  {
    name: present,
    priority: priority.exactOptional(),
    concurrency_limit: count.nullable().exactOptional(),
    description: text.nullable().exactOptional(),
    paused: bool.exactOptional(),
  },
  { strict: true },
);

const PATCH_OPERATIONS = ['add', 'remove', 'replace', 'move', 'copy', 'test'] as const;
const patchOperation = shape(
  {
    op: oneOf(PATCH_OPERATIONS),
    path: text,
    from: text.exactOptional(),
    value: anything.exactOptional(),
  },
  { strict: true },
);

const template = z.unknown().transform((value, context): string | JsonObject => {
  if (isMapping(value)) return nested(mapping, value, context);
  if (typeof value === 'string' && value !== '') return value;
  const wanted = 'default, the path of a JSON or YAML file, or the template itself';
  return refuse(context, mustBe(wanted, value), { wanted });
});

/** One item of the top-level `work_pools` list (design.md, "Interface of the action"): only these keys. */
const workPool = shape(
  {
    name: present,
    type: present.exactOptional(),
    description: text.nullable().exactOptional(),
    paused: bool.exactOptional(),
    concurrency_limit: count.nullable().exactOptional(),
    queues: list(workQueue).exactOptional(),
    base_job_template: template.exactOptional(),
    variables: mapping.exactOptional(),
    patch: list(patchOperation).exactOptional(),
  },
  { strict: true },
);

export type WorkPoolFields = z.output<typeof workPool>;

/** prefect.yaml as a whole, but for its steps (contracts/deploy.md §1.2). Other keys are ignored. */
export const prefectYaml = shape({
  'prefect-version': text.nullish(),
  prefect_version: text.nullish(),
  name: text.nullish(),
  deployments: list(deployment).optional(),
  work_pools: list(workPool).nullish(),
});
