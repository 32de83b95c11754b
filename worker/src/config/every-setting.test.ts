import { describe, expect, it } from 'vitest';
import { parseCommandLine } from './command-line.ts';
import { compileConfig, type WorkerConfig } from './config.ts';
import { unknownVariables } from './known-variables.ts';

const API = { PREFECT_API_URL: 'http://127.0.0.1:4200/api' };
const W = 'PREFECT_WORKER_';
const K = 'PREFECT_INTEGRATIONS_KUBERNETES_';
const template = '{"job_configuration": {"a": 1}, "variables": {"b": 2}}';

function compile(args: readonly string[], env: Record<string, string>): WorkerConfig {
  const invocation = parseCommandLine(['worker', 'start', ...args], 'prefect', '1');
  if (invocation.kind !== 'start') throw new Error(JSON.stringify(invocation));
  return compileConfig(invocation.flags, { ...API, ...env }, () => template);
}

/** Every flag of `prefect worker start` (contracts/worker.md §1.1), and what it does. */
const FLAGS: readonly (readonly [args: string, effect: object])[] = [
  ['--pool q', { pool: { name: 'q' } }],
  ['-p q', { pool: { name: 'q' } }],
  ['--name n', { workerName: 'n' }],
  ['-n n', { workerName: 'n' }],
  ['--work-queue a --work-queue b --work-queue a', { queueNames: ['a', 'b'] }],
  ['-q a', { queueNames: ['a'] }],
  ['--type kubernetes', { pool: { anyType: true } }],
  ['-t kubernetes', { pool: { anyType: true } }],
  ['--prefetch-seconds 0', { prefetchMs: 0 }],
  ['--run-once', { runOnce: true }],
  ['--no-run-once', { runOnce: false }],
  ['--limit 3', { limit: 3 }],
  ['-l 3', { limit: 3 }],
  ['--with-healthcheck', { health: { host: '0.0.0.0', port: 8080 } }],
  ['--no-with-healthcheck', { health: undefined }],
  ['--base-job-template f.json', { pool: { baseJobTemplate: JSON.parse(template) } }],
  ['--create-pool-if-not-found', { pool: { createIfNotFound: true } }],
  ['--no-create-pool-if-not-found', { pool: { createIfNotFound: false } }],
  // Accepted so that command lines go on working: there is nothing to install.
  ...['always', 'if-not-present', 'never', 'prompt'].map((policy) => [`--install-policy ${policy}`, {}] as const),
];

/** Every variable of contracts/worker.md §1.2 and §1.3, and what it does; an empty effect is said in the list below. */
const VARIABLES: readonly (readonly [name: string, value: string, effect: object])[] = [
  [`${W}DEBUG_MODE`, 'true', { debug: true }],
  [`${W}HEARTBEAT_SECONDS`, '7.9', { heartbeatIntervalSeconds: 7 }],
  [`${W}QUERY_SECONDS`, '5', { pollIntervalMs: 5_000 }],
  [`${W}PREFETCH_SECONDS`, '3', { prefetchMs: 3_000 }],
  [`${W}ENABLE_CANCELLATION`, 'false', { cancel: { enabled: false } }],
  [`${W}CANCELLATION_POLL_SECONDS`, '60', { cancel: { pollMs: 60_000 } }],
  [`${K}WORKER_CREATE_SECRET_FOR_API_KEY`, 'true', { render: { apiKeySecret: { kind: 'made' } } }],
  ['PREFECT_KUBERNETES_WORKER_STORE_PREFECT_API_IN_SECRET', '1', { render: { apiKeySecret: { kind: 'made' } } }],
  [`${K}WORKER_STORE_ENV_AS_SECRET`, 'yes', { render: { envSecret: true } }],
  [`${K}WORKER_CREATE_JOB_RETRY_MAX_RETRIES`, '9', { submit: { maxAttempts: 9 } }],
  [`${K}WORKER_CREATE_JOB_RETRY_DELAY_SECONDS`, '2', { submit: { retryDelayMs: 2_000 } }],
  [`${K}WORKER_CREATE_JOB_RETRY_JITTER_MIN_SECONDS`, '1', { submit: { retryJitterMs: [1_000, 3_000] } }],
  [`${K}WORKER_CREATE_JOB_RETRY_JITTER_MAX_SECONDS`, '4', { submit: { retryJitterMs: [0, 4_000] } }],
  [`${K}OBSERVER_ENABLED`, 'false', { observe: { enabled: false } }],
  [`${K}OBSERVER_NAMESPACES`, 'b,a', { observe: { namespaces: ['a', 'b'] } }],
  [`${K}OBSERVER_ADDITIONAL_LABEL_FILTERS`, 'a=b', { observe: { labelFilters: { a: 'b' } } }],
  [`${K}OBSERVER_FORWARD_CRASHED_RUN_LOGS`, 'false', { observe: { crashLogs: { enabled: false, tailLines: 500 } } }],
  [
    `${K}OBSERVER_FORWARD_CRASHED_RUN_LOGS_TAIL_LINES`,
    '20',
    { observe: { crashLogs: { enabled: true, tailLines: 20 } } },
  ],
];

/** Variables that come in pairs, or that only count with a flag. */
const TOGETHER: readonly (readonly [args: string, env: Record<string, string>, effect: object])[] = [
  [
    '',
    { [`${K}WORKER_API_KEY_SECRET_NAME`]: 's', [`${K}WORKER_API_KEY_SECRET_KEY`]: 'k' },
    { render: { apiKeySecret: { kind: 'existing', secret: { name: 's', key: 'k' } } } },
  ],
  [
    '',
    { [`${K}WORKER_API_AUTH_STRING_SECRET_NAME`]: 's', [`${K}WORKER_API_AUTH_STRING_SECRET_KEY`]: 'k' },
    { render: { authStringSecret: { name: 's', key: 'k' } } },
  ],
  [
    '--with-healthcheck',
    { [`${W}WEBSERVER_HOST`]: '127.0.0.1', [`${W}WEBSERVER_PORT`]: '0' },
    { health: { host: '127.0.0.1', port: 0 } },
  ],
];

/** Known, so that they are not warned of, and without effect here. */
const WITHOUT_EFFECT = [
  // Read by nothing in Prefect 3.8.8 either.
  `${K}CLUSTER_UID`,
  'PREFECT_KUBERNETES_CLUSTER_UID',
  // Connections are always kept alive.
  `${K}WORKER_ADD_TCP_KEEPALIVE`,
  'PREFECT_KUBERNETES_WORKER_ADD_TCP_KEEPALIVE',
  // A list at the start costs the Prefect API nothing.
  `${K}OBSERVER_STARTUP_EVENT_CONCURRENCY`,
];

const given = { ...API, PREFECT_API_KEY: 'k' };

describe('every flag of prefect worker start', () => {
  it.each(FLAGS)('%s', (args, effect) => {
    const pool = /^(--pool|-p) /.test(args) ? [] : ['--pool', 'p'];
    expect(compile([...pool, ...args.split(' ')], {})).toMatchObject(effect);
  });
});

describe('every variable of Prefect’s Kubernetes worker', () => {
  it.each(VARIABLES)('%s=%s', (name, value, effect) => {
    expect(unknownVariables({ [name]: value })).toEqual([]);
    expect(compile(['-p', 'p'], { ...given, [name]: value })).toMatchObject(effect);
    expect(compile(['-p', 'p'], given), 'without it').not.toMatchObject(effect);
  });

  it.each(TOGETHER)('%s %j', (args, env, effect) => {
    expect(unknownVariables(env)).toEqual([]);
    expect(compile(['-p', 'p', ...args.split(' ').filter(Boolean)], env)).toMatchObject(effect);
  });

  it.each(WITHOUT_EFFECT)('%s is known and changes nothing', (name) => {
    expect(unknownVariables({ [name]: 'x' })).toEqual([]);
    const {
      workerName: _,
      render: { prefectEnv: _settings, env: _env, ...render },
      ...rest
    } = compile(['-p', 'p'], { [name]: 'x' });
    const {
      workerName: __,
      render: { prefectEnv: __settings, env: __env, ...plain },
      ...others
    } = compile(['-p', 'p'], {});
    expect({ ...rest, render }).toEqual({ ...others, render: plain });
  });

  it.each([
    `${W}QUERRY_SECONDS`,
    `${K}OBSERVER_NAMESPACE`,
    'PREFECT_KUBERNETES_CLUSTER',
    'SLIPWAY_WORKER_GRACE',
  ])('%s is none, and is warned of', (name) => {
    expect(unknownVariables({ [name]: 'x' })).toEqual([name]);
  });
});
