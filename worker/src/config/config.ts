import { randomUUID } from 'node:crypto';
import { isJsonObject, type JsonObject, parseJson } from '@slipway/prefect/json';
import { type PrefectSettings, readSettings } from '@slipway/prefect/settings';
import type { ApiKeySecret, SecretSettings } from '../render/secrets.ts';
import { DEFAULT_IMAGE } from '../version.ts';
import type { StartFlags } from './command-line.ts';
import { ConfigError } from './config-error.ts';
import { readBoolean, readInteger, readList, readNumber, readPairs } from './values.ts';

/** A key of an existing Secret in the Job's namespace. */
export interface SecretReference {
  readonly name: string;
  readonly key: string;
}

/** Everything a person decided, compiled once; durations in milliseconds unless the name says otherwise. */
export interface WorkerConfig {
  readonly prefect: PrefectSettings;
  readonly pool: {
    readonly name: string;
    readonly createIfNotFound: boolean;
    /** The type was insisted on (--type kubernetes): a pool of another type is warned of only. */
    readonly anyType: boolean;
    /** Given to a pool that has to be created; the default template when undefined. */
    readonly baseJobTemplate: JsonObject | undefined;
  };
  readonly workerName: string;
  /** Empty means all queues. */
  readonly queueNames: readonly string[];
  readonly pollIntervalMs: number;
  readonly prefetchMs: number;
  /** Whole seconds: the server takes nothing else. */
  readonly heartbeatIntervalSeconds: number;
  readonly runOnce: boolean;
  /** Runs being submitted at one time; undefined means no limit but the worker's own pace. */
  readonly limit: number | undefined;
  /** Unfinished Jobs of the pool in the observed namespaces; undefined means no limit. */
  readonly maxLiveJobs: number | undefined;
  readonly graceMs: number;
  readonly health: { readonly host: string; readonly port: number } | undefined;
  readonly debug: boolean;
  readonly render: {
    /** The worker's environment, which `{{ $NAME }}` in a template reads. */
    readonly env: Readonly<Record<string, string | undefined>>;
    /** The same with what profile and files say below it: what a Job is given of it are Prefect's settings. */
    readonly prefectEnv: Readonly<Record<string, string | undefined>>;
    readonly defaultImage: string;
  } & SecretSettings;
  readonly submit: {
    /** Tries at a refusal that may pass, such as an exceeded quota, the first one included. */
    readonly maxAttempts: number;
    readonly retryDelayMs: number;
    readonly retryJitterMs: readonly [least: number, most: number];
  };
  readonly observe: {
    readonly enabled: boolean;
    /** Empty means the whole cluster, or what is permitted of it. */
    readonly namespaces: readonly string[];
    readonly labelFilters: Readonly<Record<string, string>>;
    /** How long an image that cannot be pulled, or a container that cannot be created, is given to come right. */
    readonly imagePullGraceMs: number;
    /** Whether the last lines of a crashed run's containers are told, and how many of each. */
    readonly crashLogs: { readonly enabled: boolean; readonly tailLines: number };
  };
  readonly cancel: {
    readonly enabled: boolean;
    /** How often is looked for cancelled runs while no pod waits to start. */
    readonly pollMs: number;
  };
  readonly repair: { readonly intervalMs: number; readonly orphanAfterMs: number };
}

const KUBERNETES_PREFIX = 'PREFECT_INTEGRATIONS_KUBERNETES_';

/**
 * Compiles flags and environment into one typed value (contracts/worker.md §1.1–1.4).
 *
 * @param readFile UTF-8 text of a file, for --base-job-template; throws as node:fs does.
 * @param settings the environment with what Prefect's files say below it.
 * @throws ConfigError naming the flag or variable and what to do.
 * @throws SettingsError of @slipway/prefect for the API's own settings.
 */
export function compileConfig(
  flags: StartFlags,
  env: Readonly<Record<string, string | undefined>>,
  readFile: (path: string) => string,
  settings: Readonly<Record<string, string | undefined>> = env,
): WorkerConfig {
  const text = (name: string, ...aliases: string[]) =>
    [name, ...aliases].map((each) => settings[each]).find((value) => value !== undefined && value !== '');
  const kubernetes = (name: string, ...aliases: string[]) => text(KUBERNETES_PREFIX + name, ...aliases);
  if (flags.pool === undefined || flags.pool === '') {
    throw new ConfigError("Missing required option '--pool' / '-p'.", 'Name the work pool: --pool <name>.');
  }
  if (flags.type !== undefined && flags.type !== 'kubernetes') {
    throw new ConfigError(
      `Unable to start a worker of type "${flags.type}": this worker runs Kubernetes work pools only.`,
      'Leave --type out, or use Prefect’s own worker for that pool.',
    );
  }
  const observing = readBoolean(`${KUBERNETES_PREFIX}OBSERVER_ENABLED`, kubernetes('OBSERVER_ENABLED'), true);
  if (flags.maxLiveJobs !== undefined && !observing) {
    throw new ConfigError(
      `--max-live-jobs counts the Jobs in the cluster, which ${KUBERNETES_PREFIX}OBSERVER_ENABLED=false forbids.`,
      'Leave one of the two out.',
    );
  }
  const retryJitterMs = [
    1000 *
      readNumber(
        `${KUBERNETES_PREFIX}WORKER_CREATE_JOB_RETRY_JITTER_MIN_SECONDS`,
        kubernetes('WORKER_CREATE_JOB_RETRY_JITTER_MIN_SECONDS'),
        0,
      ),
    1000 *
      readNumber(
        `${KUBERNETES_PREFIX}WORKER_CREATE_JOB_RETRY_JITTER_MAX_SECONDS`,
        kubernetes('WORKER_CREATE_JOB_RETRY_JITTER_MAX_SECONDS'),
        3,
      ),
  ] as const;
  return {
    prefect: readSettings(settings),
    pool: {
      name: flags.pool,
      createIfNotFound: flags.createPoolIfNotFound,
      anyType: flags.type !== undefined,
      baseJobTemplate: readTemplate(flags.baseJobTemplate, readFile),
    },
    workerName: readWorkerName(flags.name),
    queueNames: [...new Set(flags.workQueue)].sort(),
    pollIntervalMs: 1000 * readNumber('PREFECT_WORKER_QUERY_SECONDS', text('PREFECT_WORKER_QUERY_SECONDS'), 10, 0.05),
    prefetchMs:
      1000 *
      Math.trunc(
        flags.prefetchSeconds === undefined
          ? readNumber('PREFECT_WORKER_PREFETCH_SECONDS', text('PREFECT_WORKER_PREFETCH_SECONDS'), 10)
          : readInteger('--prefetch-seconds', flags.prefetchSeconds, 10),
      ),
    heartbeatIntervalSeconds: Math.max(
      1,
      Math.trunc(readNumber('PREFECT_WORKER_HEARTBEAT_SECONDS', text('PREFECT_WORKER_HEARTBEAT_SECONDS'), 30)),
    ),
    runOnce: flags.runOnce,
    limit: flags.limit === undefined ? undefined : readInteger('--limit', flags.limit, 1, 1),
    maxLiveJobs: flags.maxLiveJobs === undefined ? undefined : readInteger('--max-live-jobs', flags.maxLiveJobs, 1, 1),
    graceMs: 1000 * readNumber('--grace', flags.grace, 25),
    health: flags.withHealthcheck
      ? {
          host: text('PREFECT_WORKER_WEBSERVER_HOST') ?? '0.0.0.0',
          port: readInteger('PREFECT_WORKER_WEBSERVER_PORT', text('PREFECT_WORKER_WEBSERVER_PORT'), 8080, 0, 65_535),
        }
      : undefined,
    debug:
      readBoolean('PREFECT_WORKER_DEBUG_MODE', text('PREFECT_WORKER_DEBUG_MODE'), false) ||
      readBoolean('PREFECT_DEBUG_MODE', text('PREFECT_DEBUG_MODE'), false) ||
      text('PREFECT_LOGGING_LEVEL')?.toUpperCase() === 'DEBUG',
    render: {
      env,
      prefectEnv: settings,
      defaultImage: text('SLIPWAY_WORKER_DEFAULT_IMAGE') ?? DEFAULT_IMAGE,
      apiKeySecret: apiKeySecret(kubernetes),
      authStringSecret: secretReference(
        kubernetes('WORKER_API_AUTH_STRING_SECRET_NAME'),
        kubernetes('WORKER_API_AUTH_STRING_SECRET_KEY'),
      ),
      envSecret: readBoolean(
        `${KUBERNETES_PREFIX}WORKER_STORE_ENV_AS_SECRET`,
        kubernetes('WORKER_STORE_ENV_AS_SECRET'),
        false,
      ),
    },
    submit: {
      maxAttempts: readInteger(
        `${KUBERNETES_PREFIX}WORKER_CREATE_JOB_RETRY_MAX_RETRIES`,
        kubernetes('WORKER_CREATE_JOB_RETRY_MAX_RETRIES'),
        3,
        1,
      ),
      retryDelayMs:
        1000 *
        readNumber(
          `${KUBERNETES_PREFIX}WORKER_CREATE_JOB_RETRY_DELAY_SECONDS`,
          kubernetes('WORKER_CREATE_JOB_RETRY_DELAY_SECONDS'),
          1,
        ),
      retryJitterMs,
    },
    observe: {
      enabled: observing,
      namespaces: [...new Set(readList(kubernetes('OBSERVER_NAMESPACES')))].sort(),
      labelFilters: readPairs(
        `${KUBERNETES_PREFIX}OBSERVER_ADDITIONAL_LABEL_FILTERS`,
        kubernetes('OBSERVER_ADDITIONAL_LABEL_FILTERS'),
      ),
      imagePullGraceMs:
        1000 *
        readNumber('SLIPWAY_WORKER_IMAGE_PULL_GRACE_SECONDS', text('SLIPWAY_WORKER_IMAGE_PULL_GRACE_SECONDS'), 120),
      crashLogs: {
        enabled: readBoolean(
          `${KUBERNETES_PREFIX}OBSERVER_FORWARD_CRASHED_RUN_LOGS`,
          kubernetes('OBSERVER_FORWARD_CRASHED_RUN_LOGS'),
          true,
        ),
        tailLines: readInteger(
          `${KUBERNETES_PREFIX}OBSERVER_FORWARD_CRASHED_RUN_LOGS_TAIL_LINES`,
          kubernetes('OBSERVER_FORWARD_CRASHED_RUN_LOGS_TAIL_LINES'),
          500,
          1,
        ),
      },
    },
    cancel: {
      // Off by default in Prefect, where it costs a connection and a poll; here it costs a poll while a pod waits to start.
      enabled: readBoolean('PREFECT_WORKER_ENABLE_CANCELLATION', text('PREFECT_WORKER_ENABLE_CANCELLATION'), true),
      pollMs:
        1000 *
        readNumber(
          'PREFECT_WORKER_CANCELLATION_POLL_SECONDS',
          text('PREFECT_WORKER_CANCELLATION_POLL_SECONDS'),
          120,
          1,
        ),
    },
    repair: {
      intervalMs: 1000 * readNumber('SLIPWAY_WORKER_REPAIR_SECONDS', text('SLIPWAY_WORKER_REPAIR_SECONDS'), 60, 1),
      orphanAfterMs:
        1000 * readNumber('SLIPWAY_WORKER_ORPHAN_AFTER_SECONDS', text('SLIPWAY_WORKER_ORPHAN_AFTER_SECONDS'), 30, 1),
    },
  };
}

/** A named Secret wins over one that is to be made, and without its key nothing is replaced (kw `_create_job`). */
function apiKeySecret(kubernetes: (name: string, ...aliases: string[]) => string | undefined): ApiKeySecret {
  const name = kubernetes('WORKER_API_KEY_SECRET_NAME');
  if (name !== undefined) {
    const secret = secretReference(name, kubernetes('WORKER_API_KEY_SECRET_KEY'));
    return secret && { kind: 'existing', secret };
  }
  const variable = 'WORKER_CREATE_SECRET_FOR_API_KEY';
  const make = kubernetes(variable, 'PREFECT_KUBERNETES_WORKER_STORE_PREFECT_API_IN_SECRET');
  return readBoolean(KUBERNETES_PREFIX + variable, make, false) ? { kind: 'made' } : undefined;
}

function secretReference(name: string | undefined, key: string | undefined): SecretReference | undefined {
  return name === undefined || key === undefined ? undefined : { name, key };
}

function readWorkerName(name: string | undefined): string {
  if (name === undefined || name === '') return `KubernetesWorker ${randomUUID()}`;
  if (!/[/%]/.test(name)) return name;
  throw new ConfigError(
    `The worker’s name "${name}" holds "/" or "%", which the Prefect API does not take.`,
    'Choose another --name.',
  );
}

function readTemplate(path: string | undefined, readFile: (path: string) => string): JsonObject | undefined {
  if (path === undefined) return undefined;
  let text: string;
  try {
    text = readFile(path);
  } catch (cause) {
    const code = cause instanceof Error && 'code' in cause ? String(cause.code) : 'unreadable';
    throw new ConfigError(`The file "${path}" of --base-job-template cannot be read (${code}).`, 'Correct the path.');
  }
  try {
    const json = parseJson(text);
    if (isJsonObject(json)) return json;
  } catch {
    // The message of a JSON error quotes the file; what to do is the same.
  }
  throw new ConfigError(
    `The file "${path}" of --base-job-template is not a JSON object.`,
    'Make one with: prefect work-pool get-default-base-job-template --type kubernetes',
  );
}
