/** What this worker makes of a case, by the code that runs in it: settings, merging, templates, blocks, manifest, requests. */
import { DeploymentRecord, FlowRecord, FlowRunRecord } from '@slipway/prefect/client';
import { type JsonObject, parseJson } from '@slipway/prefect/json';
import { withSettingsFiles } from '@slipway/prefect/settings';
import { defaultKubernetesTemplate } from '@slipway/prefect/workpool';
import { applyJsonPatch } from '../../../prefect/workpool/patch.ts';
import { compileConfig } from '../../../worker/src/config/config.ts';
import { claimId, flowRunId, jobNameSuffix } from '../../../worker/src/ids.ts';
import { makeJob } from '../../../worker/src/render/make-job.ts';
import type { JobManifest } from '../../../worker/src/render/render.ts';
import { JobSecrets } from '../../../worker/src/submit/secrets.ts';
import { submitJob } from '../../../worker/src/submit/submit.ts';
import { connectTo, serve } from '../../../worker/src/testing/server.ts';
import { testWorld } from '../../../worker/src/testing/world.ts';
import { type Case, object } from './cases.ts';
import type { Request } from './differences.ts';

const IDS = {
  flow: '965ec140-bdf6-4be6-b7ea-03db5a8b4e8d',
  deployment: 'f808ae91-4d8a-4542-a878-b6f1507e4ac8',
  run: '9d063037-f5cd-4b83-95c1-a8b05c531c04',
  pool: '0cf1f936-cbd6-4fb0-9d6b-011047176562',
};
const NAMES = {
  flow: 'my-flow',
  deployment: 'my-deployment',
  run: 'amiable-labrador',
  pool: 'my-pool',
  worker: 'my-worker',
};
const STATE = claimId('0b1c2d3e-0000-4000-8000-000000000001');

/** The end of every Job's name here. */
export const SUFFIX: string = jobNameSuffix(flowRunId(IDS.run), STATE);

/** @throws as the worker does: at its start for settings, or for the run. */
export async function ourJob(given: Case): Promise<JobManifest> {
  const names = { ...NAMES, ...given.names };
  const env = { PREFECT_API_URL: 'http://127.0.0.1:4277/api', HOME: '/nonexistent', ...given.env };
  const places = { home: '/nonexistent', directory: '/nonexistent', writtenBy: 'operator' } as const;
  const { variables } = await withSettingsFiles(env, places, async (path) => {
    throw Object.assign(new Error(path), { code: 'ENOENT' });
  });
  const config = compileConfig(
    {
      pool: names.pool,
      name: names.worker,
      workQueue: [],
      runOnce: false,
      withHealthcheck: false,
      installPolicy: 'prompt',
      createPoolIfNotFound: true,
    },
    env,
    () => '',
    variables,
  );
  const deployment = {
    id: IDS.deployment,
    name: names.deployment,
    flow_id: IDS.flow,
    updated: '2026-11-23T07:32:15.021261Z',
    job_variables: given.deployment,
  };
  const run = {
    id: IDS.run,
    name: names.run,
    flow_id: IDS.flow,
    deployment_id: given.noDeployment ? null : IDS.deployment,
    parameters: given.parameters,
    tags: given.tags,
    job_variables: given.run,
  };
  const context = {
    run: FlowRunRecord.parse(run),
    flow: FlowRecord.parse({ id: IDS.flow, name: names.flow }),
    deployment: given.noDeployment ? undefined : DeploymentRecord.parse(deployment),
    pool: { id: IDS.pool, name: names.pool },
    workerName: config.workerName,
  };
  const { env: templateEnv, prefectEnv, ...rest } = config.render;
  const settings = { ...rest, env: prefectEnv, templateEnv, cloud: config.prefect.cloud };
  return await makeJob(templateOf(given), context, STATE, settings, {
    readBlockDocument: async (slug, name) => given.blocks[`${slug}/${name}`],
    readBlockDocumentById: async (id) => given.blocks[id],
    readVariable: async (name) => given.variables[name],
  });
}

function templateOf(given: Case): JsonObject {
  const patched = applyJsonPatch(defaultKubernetesTemplate, given.template);
  if (!patched.ok) throw new Error(`${given.about}: ${patched.failure.path} ${patched.failure.message}`);
  return object.parse(patched.document);
}

/**
 * What this worker asks of Kubernetes for a Job, in order and as it arrives: like Prefect's in prefect_jobs.py, of a
 * cluster that has no Secret yet and where everything can be created.
 */
export async function requestsFor(job: JobManifest): Promise<Request[]> {
  const made = { metadata: { name: 'amiable-labrador-abcde', uid: 'u' } };
  const server = await serve(({ method }) =>
    method === 'GET' ? { status: 404, json: {} } : { status: 201, json: made },
  );
  const kubernetes = connectTo(server);
  try {
    const world = testWorld();
    const secrets = new JobSecrets({ keysBelongToJobs: false, world });
    const { signal } = new AbortController();
    const policy = { maxAttempts: 1, retryDelayMs: 0, retryJitterMs: [0, 0] as const };
    await submitJob(job, kubernetes, secrets, policy, world, { stop: signal, cut: signal });
    await secrets.giveTo(job, made, kubernetes, signal);
    const writes = server.seen.filter(({ method }) => method !== 'GET');
    return writes.map(({ method, path, body }) => ({ method, path, body: object.parse(parseJson(body)) }));
  } finally {
    await kubernetes.close();
    await server.close();
  }
}
