import { isJsonObject, type Json, type JsonObject, parseJson } from '@slipway/prefect/json';
import { applyValues, findPlaceholders, isTruthy, NotSet, pythonStr } from '@slipway/prefect/template';
import { type ClaimId, flowRunId, jobNameSuffix } from '../ids.ts';
import { type ClusterConfig, type JobConfiguration, readJobConfiguration } from './configuration.ts';
import { containerEnvironment } from './environment.ts';
import { prefectLabels, sluggedLabels } from './labels.ts';
import { checkManifest } from './manifest-check.ts';
import { passedSettings } from './passed-settings.ts';
import { RenderError } from './render-error.ts';
import type { RunContext } from './run-context.ts';
import { type SecretManifest, type SecretSettings, withSecrets } from './secrets.ts';
import { ShellWordsError, shellWords } from './shell-words.ts';
import { slugLabelKey, slugName } from './slug.ts';

/** What the worker itself adds to a Job. */
export interface RenderSettings extends SecretSettings {
  /** The worker's environment: its Prefect settings are passed on, and `{{ $NAME }}` in a name reads it. */
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cloud: boolean;
  readonly defaultImage: string;
}

/** A Job as it is sent to Kubernetes. */
export interface JobManifest {
  readonly namespace: string;
  readonly name: string;
  /** The whole object; fields this worker does not know are as the template has them. */
  readonly body: JsonObject;
  /** What has to exist before the Job does. */
  readonly secrets: readonly SecretManifest[];
  /** The cluster that the Job is for; undefined: the worker's own. */
  readonly cluster: ClusterConfig | undefined;
  /** What was done differently from what the names asked for, for the log. */
  readonly notes: readonly string[];
}

const COMMAND = 'prefect flow-run execute';

/**
 * Makes the Job of a run (contracts/worker.md §2.4, §4.6–4.8; kw `prepare_for_flow_run`). Pure: same values, same Job.
 * The result is what Python's worker would send, except for the name: a slug of what Python would have put into
 * `generateName` (or of a fixed `metadata.name`) and a suffix that is the same on every try and every replica.
 *
 * @param configuration the `job_configuration` from renderJobConfiguration, references resolved.
 * @param claim the claim that the Job is made for.
 * @throws RenderError when no valid Job can be made of it.
 */
export function render(
  configuration: JsonObject,
  context: RunContext,
  claim: ClaimId,
  settings: RenderSettings,
): JobManifest {
  const job = readJobConfiguration(configuration);
  const { manifest, metadata, spec, podTemplate, container } = checkManifest(job.jobManifest, job.namespace);
  const notes = new Set<string>();
  const built = prefectLabels(context);
  const labels = { ...built, ...job.labels };
  const slugged = (own: Json | undefined) =>
    sluggedLabels({ ...texts(own, 'labels'), ...labels }, built, (note) => notes.add(note));

  const env = containerEnvironment({
    configuration: job,
    context,
    settings: passedSettings(settings.env, settings.cloud),
    backoffLimit: spec.backoffLimit,
    manifestEnv: container.env,
  });
  if (!('image' in container)) container.image = settings.defaultImage;
  container.args = args(container.args);

  const annotations = sluggedKeys({ ...mapping(metadata.annotations, 'annotations'), ...job.annotations });
  const podMetadata = { ...mapping(podTemplate.metadata, 'spec.template.metadata') };
  podMetadata.labels = slugged(podMetadata.labels);
  if (Object.keys(annotations).length > 0) {
    podMetadata.annotations = { ...mapping(podMetadata.annotations, 'annotations'), ...annotations };
  }
  podTemplate.metadata = podMetadata;

  const prefix = namePrefix(job, metadata, context, settings.env);
  const suffix = jobNameSuffix(flowRunId(context.run.id), claim);
  const name = `${prefix}-${suffix}`;
  const { name: _fixed, generateName: _generated, ...rest } = metadata;
  const jobLabels = slugged(metadata.labels);
  const {
    secrets,
    env: kept,
    envFrom,
  } = withSecrets(env, container.envFrom, settings, {
    workerName: context.workerName,
    workerApiKey: settings.env.PREFECT_API_KEY,
    namespace: job.namespace,
    job: { prefix, suffix },
    jobLabels,
  });
  container.env = [...kept];
  if (envFrom !== undefined) container.envFrom = envFrom;
  const jobMetadata = { name, ...rest, labels: jobLabels, annotations };
  const body = { ...manifest, metadata: jobMetadata };
  return { namespace: job.namespace, name, body, secrets, cluster: job.cluster, notes: [...notes] };
}

/** The container's `args`, never its `command`: the image's own entry point runs them (contracts/worker.md §4.7). */
function args(written: Json | undefined): Json[] {
  if (Array.isArray(written)) return written;
  if (written !== undefined && written !== null && typeof written !== 'string') {
    throw new RenderError("Invalid job manifest template: 'command' must be a string or list.");
  }
  try {
    return shellWords(written ?? COMMAND);
  } catch (error) {
    if (!(error instanceof ShellWordsError)) throw error;
    throw new RenderError(`The command ${written} cannot be split into words: ${error.message}.`);
  }
}

/** A manifest's own name or generateName, where it has a usable one; else the job variable `name`, else the run's name. */
function namePrefix(
  job: JobConfiguration,
  metadata: JsonObject,
  context: RunContext,
  env: RenderSettings['env'],
): string {
  const { name: fixed, generateName: generated } = metadata;
  const written = [fixed, generated].filter((text): text is string => typeof text === 'string');
  const usable = written.filter((text) => !/^(None)?-?$/.test(text) && findPlaceholders(text).length === 0);
  return (
    [...usable, renderedName(job.name, context, env)].map(slugName).find((slug) => slug !== undefined) ?? 'prefect-job'
  );
}

function renderedName(name: string | undefined, { run, flow }: RunContext, env: RenderSettings['env']): string {
  if (name === undefined) return run.name;
  const ctx = { flow: { ...flow }, flow_run: parseJson(JSON.stringify(run)) };
  const rendered = applyValues(name as Json, { ctx }, { env, missing: 'remove' });
  if (rendered === NotSet) return name;
  return isTruthy(rendered) ? pythonStr(rendered) : run.name;
}

function sluggedKeys(annotations: JsonObject): JsonObject {
  return Object.fromEntries(Object.entries(annotations).map(([key, value]) => [slugLabelKey(key), value]));
}

function mapping(value: Json | undefined, what: string): JsonObject {
  if (value === undefined) return {};
  if (isJsonObject(value)) return value;
  throw new RenderError(`The job manifest’s ${what} is not a mapping.`);
}

function texts(value: Json | undefined, what: string): Record<string, string> {
  const found = mapping(value, what);
  for (const [key, each] of Object.entries(found)) {
    if (typeof each !== 'string') {
      throw new RenderError(`The job manifest’s ${what} have ${key}, which is not a text. Write it in quotes.`);
    }
  }
  return found as Record<string, string>;
}
