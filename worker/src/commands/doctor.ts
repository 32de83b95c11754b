/**
 * `slipway-worker doctor`: whether a worker could work here. Looks only, and at everything: one thing that is wrong does
 * not hide the next.
 */
import {
  PrefectApiError,
  PrefectUnreachableError,
  readWorkPoolWithDate,
  type WorkPoolRecord,
} from '@slipway/prefect/client';
import { isJsonObject } from '@slipway/prefect/json';
import { SettingsError } from '@slipway/prefect/settings';
import { renderJobConfiguration } from '@slipway/prefect/workpool';
import * as z from 'zod';
import type { DoctorFlags } from '../config/command-line.ts';
import { compileConfig, type WorkerConfig } from '../config/config.ts';
import { ConfigError } from '../config/config-error.ts';
import { defaultNamespaceOf } from '../intake/default-namespace.ts';
import { type ClusterAccess, findCluster } from '../k8s/access.ts';
import { readObject } from '../k8s/api.ts';
import { type KubernetesConnection, openConnection } from '../k8s/connection.ts';
import { KubernetesApiError } from '../k8s/errors.ts';
import { WORKER_VERSION } from '../version.ts';
import { type CommandWorld, withPrefect } from './command.ts';
import {
  clockFinding,
  type Finding,
  hasFailed,
  type Permission,
  permissionFindings,
  permissionsFor,
  type Report,
  reportText,
} from './doctor-report.ts';

/** @returns the exit code: 1 when something that a worker needs is missing. */
export async function doctorCommand(flags: DoctorFlags, world: CommandWorld): Promise<number> {
  const prefect = await examinePrefect(flags.pool, world);
  const cluster = await examineCluster(prefect.config, prefect.pool, world);
  const report = { findings: [...prefect.findings, ...cluster.findings], missing: cluster.missing };
  const { findings, missing } = report;
  world.print(
    flags.json ? JSON.stringify({ ok: !hasFailed(report), findings, missing }, undefined, 2) : reportText(report),
  );
  return hasFailed(report) ? 1 : 0;
}

interface PrefectExamined {
  readonly findings: readonly Finding[];
  readonly config: WorkerConfig | undefined;
  readonly pool: WorkPoolRecord | undefined;
}

/** The name that a pool is asked by when none is given: whether the API answers can be seen all the same. */
const NO_POOL = 'no-work-pool-named';

async function examinePrefect(named: string | undefined, world: CommandWorld): Promise<PrefectExamined> {
  let config: WorkerConfig | undefined;
  try {
    return await withPrefect(world, async ({ api, variables }) => {
      config = compileConfig({ ...NO_FLAGS, pool: named ?? NO_POOL }, world.env, () => '', variables);
      const { pool, date } = await readWorkPoolWithDate(api, named ?? NO_POOL, world.signal);
      const credentials = config.prefect.authorization === undefined ? 'none are set' : 'are accepted';
      const findings: Finding[] = [
        { status: 'ok', check: 'Prefect API', detail: `${config.prefect.apiUrl} answers; credentials ${credentials}` },
        poolFinding(named, pool),
        clockFinding('the Prefect API', date, world.clock.now()),
      ];
      return { findings, config, pool };
    });
  } catch (error) {
    const finding = prefectFinding(error);
    if (finding === undefined) throw error;
    return { findings: [finding], config, pool: undefined };
  }
}

const NO_FLAGS = {
  workQueue: [],
  runOnce: false,
  withHealthcheck: false,
  installPolicy: 'prompt',
  createPoolIfNotFound: true,
} as const;

function poolFinding(named: string | undefined, pool: WorkPoolRecord | undefined): Finding {
  const check = 'work pool';
  if (named === undefined) return { status: 'note', check, detail: 'not looked at: name it with --pool' };
  if (pool === undefined) {
    return { status: 'note', check, detail: `${named} does not exist; a worker creates it at its start` };
  }
  if (pool.type !== 'kubernetes') {
    return { status: 'fail', check, detail: `${named} is of type ${pool.type}: this worker makes Kubernetes Jobs` };
  }
  if (pool.is_paused) return { status: 'warn', check, detail: `${named} is paused: its runs wait` };
  if (Object.keys(pool.base_job_template).length === 0) {
    return {
      status: 'warn',
      check,
      detail: `${named} has no template; a worker gives it the default one at its start`,
    };
  }
  return { status: 'ok', check, detail: `${named}, kubernetes` };
}

function prefectFinding(error: unknown): Finding | undefined {
  const check = 'Prefect API';
  if (error instanceof SettingsError || error instanceof ConfigError) {
    return { status: 'fail', check: 'settings', detail: `${error.message} ${error.remedy}` };
  }
  if (error instanceof PrefectUnreachableError) return { status: 'fail', check, detail: error.message };
  if (!(error instanceof PrefectApiError)) return undefined;
  const refused = error.status === 401 || error.status === 403;
  const advice = refused ? '. Check PREFECT_API_KEY or PREFECT_API_AUTH_STRING.' : '';
  return { status: 'fail', check, detail: `${error.message}${advice}` };
}

async function examineCluster(
  config: WorkerConfig | undefined,
  pool: WorkPoolRecord | undefined,
  world: CommandWorld,
): Promise<Report> {
  const check = 'Kubernetes API';
  let access: ClusterAccess;
  try {
    access = await findCluster(world.env);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return { findings: [{ status: 'fail', check, detail: `${error.message} ${error.remedy}` }], missing: [] };
  }
  const kubernetes = openConnection(access, { clock: world.clock, userAgent: `slipway-worker/${WORKER_VERSION}` });
  try {
    const { gitVersion } = Version.parse(
      JSON.parse(await kubernetes.call({ method: 'GET', path: '/version', signal: world.signal })),
    );
    const here: Finding[] = [
      { status: 'ok', check, detail: `${kubernetes.server} answers, ${gitVersion}` },
      clockFinding('the Kubernetes API', kubernetes.answeredAt, world.clock.now()),
    ];
    const namespaces = namespacesOf(config, pool, kubernetes);
    const secrets = { apiKey: config?.render.apiKeySecret?.kind === 'made', env: config?.render.envSecret ?? false };
    const asked = permissionsFor(namespaces, secrets);
    const missing: Permission[] = [];
    for (const permission of asked)
      if (!(await isPermitted(permission, kubernetes, world.signal))) missing.push(permission);
    const jobs = jobNamespace(config, pool, kubernetes);
    const found = await Promise.all(
      secretsNamed(config, pool).map(([purpose, name]) => secretFinding(purpose, name, jobs, kubernetes, world.signal)),
    );
    return { findings: [...here, ...permissionFindings(asked, missing), ...found], missing };
  } catch (error) {
    world.signal.throwIfAborted();
    const detail = error instanceof Error ? error.message : String(error);
    return { findings: [{ status: 'fail', check, detail }], missing: [] };
  } finally {
    await kubernetes.close();
  }
}

const Version = z.object({ gitVersion: z.string() });
const Review = z.object({ status: z.object({ allowed: z.boolean() }) });

function jobNamespace(
  config: WorkerConfig | undefined,
  pool: WorkPoolRecord | undefined,
  own: { namespace: string },
): string {
  if (pool !== undefined) return defaultNamespaceOf(pool.base_job_template);
  return config?.observe.namespaces[0] ?? own.namespace;
}

function namespacesOf(
  config: WorkerConfig | undefined,
  pool: WorkPoolRecord | undefined,
  own: KubernetesConnection,
): string[] {
  return [...new Set([jobNamespace(config, pool, own), ...(config?.observe.namespaces ?? [])])];
}

async function isPermitted(
  permission: Permission,
  kubernetes: KubernetesConnection,
  signal: AbortSignal,
): Promise<boolean> {
  const { namespace, group, verb } = permission;
  const [resource, subresource] = permission.resource.split('/');
  const body = JSON.stringify({
    apiVersion: 'authorization.k8s.io/v1',
    kind: 'SelfSubjectAccessReview',
    spec: {
      resourceAttributes: { namespace, verb, group, resource, ...(subresource === undefined ? {} : { subresource }) },
    },
  });
  const path = '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews';
  return Review.parse(JSON.parse(await kubernetes.call({ method: 'POST', path, body, signal }))).status.allowed;
}

/** Secrets that Jobs of the pool refer to without anybody making them: what for, and their names. */
function secretsNamed(
  config: WorkerConfig | undefined,
  pool: WorkPoolRecord | undefined,
): [purpose: string, name: string][] {
  const { apiKeySecret, authStringSecret } = config?.render ?? {};
  return [
    ...(apiKeySecret?.kind === 'existing' ? [['API key', apiKeySecret.secret.name] satisfies [string, string]] : []),
    ...(authStringSecret === undefined ? [] : [['auth string', authStringSecret.name] satisfies [string, string]]),
    ...pullSecrets(pool).map((name): [string, string] => ['image pull secret', name]),
  ];
}

function pullSecrets(pool: WorkPoolRecord | undefined): string[] {
  if (pool === undefined || Object.keys(pool.base_job_template).length === 0) return [];
  const { job_manifest: manifest } = renderJobConfiguration({ template: pool.base_job_template, env: {} });
  const Manifest = z.object({
    spec: z.object({
      template: z.object({ spec: z.object({ imagePullSecrets: z.array(z.object({ name: z.string() })).optional() }) }),
    }),
  });
  const read = Manifest.safeParse(isJsonObject(manifest) ? manifest : {});
  return read.success ? (read.data.spec.template.spec.imagePullSecrets ?? []).map(({ name }) => name) : [];
}

async function secretFinding(
  purpose: string,
  name: string,
  namespace: string,
  kubernetes: KubernetesConnection,
  signal: AbortSignal,
): Promise<Finding> {
  const check = 'Secrets';
  const what = `${purpose} ${name} in namespace ${namespace}`;
  try {
    const found = await readObject(kubernetes, 'secrets', namespace, name, signal);
    if (found !== undefined) return { status: 'ok', check, detail: what };
    return { status: 'fail', check, detail: `${what} does not exist: pods that need it will not start` };
  } catch (error) {
    if (!(error instanceof KubernetesApiError && error.status === 403)) throw error;
    return { status: 'note', check, detail: `whether there is the ${what} may not be looked at` };
  }
}
