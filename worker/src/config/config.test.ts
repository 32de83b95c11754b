import { describe, expect, it } from 'vitest';
import type { StartFlags } from './command-line.ts';
import { compileConfig } from './config.ts';
import { unknownVariables } from './known-variables.ts';

const FLAGS: StartFlags = {
  pool: 'p',
  workQueue: [],
  runOnce: false,
  withHealthcheck: false,
  installPolicy: 'prompt',
  createPoolIfNotFound: true,
};
const API = { PREFECT_API_URL: 'http://127.0.0.1:4200/api' };
const K = 'PREFECT_INTEGRATIONS_KUBERNETES_';
const nowhere = (): string => {
  throw Object.assign(new Error('no such file'), { code: 'ENOENT' });
};
const compile = (flags: Partial<StartFlags> = {}, env: Record<string, string> = {}, file: () => string = nowhere) =>
  compileConfig({ ...FLAGS, ...flags }, { ...API, ...env }, file);

describe('the defaults of Prefect 3.8.8', () => {
  it('hold when nothing is said', () => {
    expect(compile()).toMatchObject({
      pool: { name: 'p', createIfNotFound: true, anyType: false, baseJobTemplate: undefined },
      workerName: expect.stringMatching(/^KubernetesWorker [0-9a-f-]{36}$/),
      queueNames: [],
      pollIntervalMs: 10_000,
      prefetchMs: 10_000,
      heartbeatIntervalSeconds: 30,
      limit: undefined,
      maxLiveJobs: undefined,
      graceMs: 25_000,
      health: undefined,
      debug: false,
      submit: { maxAttempts: 3, retryDelayMs: 1_000, retryJitterMs: [0, 3_000] },
      observe: { enabled: true, namespaces: [], labelFilters: {} },
      render: { apiKeySecret: undefined, authStringSecret: undefined },
    });
  });
});

describe('what is said counts', () => {
  it.each([
    [{ PREFECT_WORKER_QUERY_SECONDS: '5' }, { pollIntervalMs: 5_000 }],
    [{ PREFECT_WORKER_PREFETCH_SECONDS: '0' }, { prefetchMs: 0 }],
    [{ PREFECT_WORKER_HEARTBEAT_SECONDS: '30.5' }, { heartbeatIntervalSeconds: 30 }],
    [{ PREFECT_WORKER_DEBUG_MODE: 'true' }, { debug: true }],
    [{ PREFECT_LOGGING_LEVEL: 'debug' }, { debug: true }],
    [{ [`${K}WORKER_API_KEY_SECRET_NAME`]: 's' }, { render: { apiKeySecret: undefined } }],
    [
      { [`${K}WORKER_API_KEY_SECRET_NAME`]: 's', [`${K}WORKER_API_KEY_SECRET_KEY`]: 'k' },
      { render: { apiKeySecret: { kind: 'existing', secret: { name: 's', key: 'k' } } } },
    ],
    [{ [`${K}WORKER_CREATE_SECRET_FOR_API_KEY`]: 'true' }, { render: { apiKeySecret: { kind: 'made' } } }],
    [{ PREFECT_KUBERNETES_WORKER_STORE_PREFECT_API_IN_SECRET: '1' }, { render: { apiKeySecret: { kind: 'made' } } }],
    [
      { [`${K}WORKER_CREATE_SECRET_FOR_API_KEY`]: 'true', [`${K}WORKER_API_KEY_SECRET_NAME`]: 's' },
      { render: { apiKeySecret: undefined } },
    ],
    [{ [`${K}WORKER_STORE_ENV_AS_SECRET`]: 'true' }, { render: { envSecret: true } }],
    [{ PREFECT_API_KEY: 'k' }, { render: { envSecret: false } }],
    [
      { [`${K}WORKER_API_AUTH_STRING_SECRET_NAME`]: 's', [`${K}WORKER_API_AUTH_STRING_SECRET_KEY`]: 'k' },
      { render: { authStringSecret: { name: 's', key: 'k' } } },
    ],
    [{ [`${K}OBSERVER_NAMESPACES`]: 'b, a,,a' }, { observe: { namespaces: ['a', 'b'] } }],
    [{ [`${K}OBSERVER_ADDITIONAL_LABEL_FILTERS`]: 'a=b, c=d=e' }, { observe: { labelFilters: { a: 'b', c: 'd=e' } } }],
    [{ [`${K}WORKER_CREATE_JOB_RETRY_MAX_RETRIES`]: '1' }, { submit: { maxAttempts: 1 } }],
    [{ SLIPWAY_WORKER_DEFAULT_IMAGE: 'mine:1' }, { render: { defaultImage: 'mine:1' } }],
    [{ SLIPWAY_WORKER_IMAGE_PULL_GRACE_SECONDS: '7' }, { observe: { imagePullGraceMs: 7_000 } }],
  ])('%j', (env, expected) => {
    expect(compile({}, env)).toMatchObject(expected);
  });

  it('in a profile, under the environment, and goes to the Jobs as Prefect’s settings do', () => {
    const env = { ...API, PREFECT_WORKER_QUERY_SECONDS: '5' };
    const settings = { PREFECT_API_KEY: 'k', PREFECT_WORKER_HEARTBEAT_SECONDS: '7', ...env };
    expect(compileConfig(FLAGS, env, nowhere, settings)).toMatchObject({
      prefect: { authorization: 'Bearer k' },
      pollIntervalMs: 5_000,
      heartbeatIntervalSeconds: 7,
      render: { env, prefectEnv: settings },
    });
  });

  it('by a flag over the environment', () => {
    const { prefetchMs } = compile({ prefetchSeconds: '0' }, { PREFECT_WORKER_PREFETCH_SECONDS: '20' });
    expect(prefetchMs).toBe(0);
  });

  it('for the health server only when it is asked for', () => {
    const env = { PREFECT_WORKER_WEBSERVER_HOST: '127.0.0.1', PREFECT_WORKER_WEBSERVER_PORT: '0' };
    expect(compile({}, env).health).toBeUndefined();
    expect(compile({ withHealthcheck: true }, env).health).toEqual({ host: '127.0.0.1', port: 0 });
  });

  it('with numbers of the template as they are spelled', () => {
    const template = '{"job_configuration": {"a": 1.0}, "variables": {}}';
    const { pool } = compile({ baseJobTemplate: 'f.json' }, {}, () => template);
    expect(JSON.stringify(pool.baseJobTemplate)).toBe('{"job_configuration":{"a":1.0},"variables":{}}');
  });
});

describe('what cannot be followed is refused, with what to do', () => {
  it.each([
    [{ pool: undefined }, {}, "Missing required option '--pool' / '-p'."],
    [{ type: 'process' }, {}, 'Unable to start a worker of type "process"'],
    [{ name: 'a/b' }, {}, 'holds "/" or "%"'],
    [{ limit: '0' }, {}, '--limit is not a number of at least 1'],
    [{ limit: '1.5' }, {}, '--limit is not a whole number'],
    [{ prefetchSeconds: 'x' }, {}, '--prefetch-seconds is not a number'],
    [{ grace: '-1' }, {}, '--grace is not a number of at least 0'],
    [{ baseJobTemplate: 'f.json' }, {}, 'The file "f.json" of --base-job-template cannot be read (ENOENT)'],
    [{ maxLiveJobs: '5' }, { [`${K}OBSERVER_ENABLED`]: 'false' }, '--max-live-jobs counts the Jobs in the cluster'],
    [{}, { PREFECT_WORKER_QUERY_SECONDS: 'often' }, 'PREFECT_WORKER_QUERY_SECONDS is not a number'],
    [{}, { PREFECT_WORKER_WEBSERVER_PORT: '70000' }, undefined],
    [{ withHealthcheck: true }, { PREFECT_WORKER_WEBSERVER_PORT: '70000' }, 'between 0 and 65535'],
    [{}, { [`${K}OBSERVER_ENABLED`]: 'perhaps' }, 'OBSERVER_ENABLED is neither true nor false'],
    [{}, { [`${K}OBSERVER_ADDITIONAL_LABEL_FILTERS`]: 'a' }, 'holds "a", which is not key=value'],
    [
      {},
      { [`${K}WORKER_CREATE_SECRET_FOR_API_KEY`]: 'perhaps' },
      'CREATE_SECRET_FOR_API_KEY is neither true nor false',
    ],
    [{}, { [`${K}WORKER_STORE_ENV_AS_SECRET`]: '2' }, 'WORKER_STORE_ENV_AS_SECRET is neither true nor false'],
    [{}, { PREFECT_API_URL: '' }, 'no Prefect API URL is set'],
  ])('%j %j', (flags, env, message) => {
    const attempt = () => compile(flags as Partial<StartFlags>, env as Record<string, string>);
    if (message === undefined) expect(attempt).not.toThrow();
    else expect(attempt).toThrow(message);
  });

  it.each(['[]', '{', '"text"'])('a template file that holds %s', (text) => {
    expect(() => compile({ baseJobTemplate: 'f.json' }, {}, () => text)).toThrow('is not a JSON object');
  });
});

describe('variables that look like settings and are none', () => {
  it('are named, in order', () => {
    const env = {
      PREFECT_WORKER_QUERY_SECOND: '5',
      PREFECT_INTEGRATIONS_KUBERNETES_OBSERVER_NAMESPACE: 'x',
      PREFECT_WORKER_QUERY_SECONDS: '5',
      PREFECT_KUBERNETES_CLUSTER_UID: 'u',
      PREFECT_API_URL: 'x',
    };
    expect(unknownVariables(env)).toEqual([
      'PREFECT_INTEGRATIONS_KUBERNETES_OBSERVER_NAMESPACE',
      'PREFECT_WORKER_QUERY_SECOND',
    ]);
  });

  it('do not include what Kubernetes sets for a Service called prefect-worker', () => {
    const names = [
      'SERVICE_HOST',
      'SERVICE_PORT',
      'SERVICE_PORT_HEALTH',
      'PORT',
      'PORT_8080_TCP',
      'PORT_8080_TCP_ADDR',
    ];
    expect(unknownVariables(Object.fromEntries(names.map((name) => [`PREFECT_WORKER_${name}`, 'x'])))).toEqual([]);
  });
});
