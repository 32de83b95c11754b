import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { createDeployment, createFlow, createFlowRun, type PrefectApi, readWorkPool } from '@slipway/prefect/client';
import { defaultKubernetesTemplate } from '@slipway/prefect/workpool';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { parse, parseAllDocuments } from 'yaml';
import * as z from 'zod';
import { type Cluster, NAMESPACE, openCluster, unlessGone, until } from '../journey/cluster.ts';
import { openRecordingProxy } from '../journey/recording-proxy.ts';
import { openRigPrefect, soon } from './prefect.ts';
import { startWorker } from './worker-process.ts';

const MAIN = resolve(import.meta.dirname, '../../worker/dist/main.js');

interface Ended {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

function run(
  file: string,
  args: readonly string[],
  env: Record<string, string | undefined>,
  cwd?: string,
): Promise<Ended> {
  const { promise, resolve: done } = Promise.withResolvers<Ended>();
  execFile(file, [...args], { env: { ...env }, cwd, timeout: 60_000 }, (error, out, err) => {
    done({ code: error === null ? 0 : Number(error.code ?? 1), out, err });
  });
  return promise;
}

const Manifest = z.object({
  spec: z.object({
    template: z.object({ spec: z.object({ containers: z.array(z.object({ env: z.array(z.unknown()) })) }) }),
  }),
});
const environmentOf = (job: unknown) => Manifest.parse(job).spec.template.spec.containers[0]?.env;

describe('the commands beside start', () => {
  const rig = inject('rig');
  let api: PrefectApi;
  let cluster: Cluster;
  let folder: string;
  const base = () => ({ PATH: process.env.PATH, HOME: folder, ...rig.env });
  const ours = (...args: string[]) => run(process.execPath, [MAIN, ...args], base(), folder);

  beforeAll(() => {
    api = openRigPrefect(rig.prefectApiUrl);
    cluster = openCluster(rig.kubeconfigPath);
    folder = mkdtempSync(join(tmpdir(), 'slipway-commands-'));
    symlinkSync(MAIN, join(folder, 'prefect'));
    writeFileSync(join(folder, 'empty.json'), '{}');
    writeFileSync(join(folder, 'bad.json'), '{"job_configuration": {"a": "{{ b }}"}, "variables": {"properties": {}}}');
    writeFileSync(join(folder, 'list.json'), '[]');
    const more = structuredClone(defaultKubernetesTemplate) as { job_configuration: Record<string, unknown> };
    more.job_configuration.mine = true;
    writeFileSync(join(folder, 'baseJobTemplate.json'), JSON.stringify(more));
  });
  afterAll(async () => {
    rmSync(folder, { recursive: true, force: true });
    await api.close();
  });

  describe('work-pool', () => {
    const missing = "Work pool 'none-verbs' not found!";
    const taken = "Work pool named 'verbs' already exists. Use --overwrite to update it.";

    /** One after the other; codes and texts as Prefect 3.8.8 has them on a server of the same release. */
    it.each<[string, number, string | RegExp]>([
      ['inspect none-verbs', 1, missing],
      ['create verbs --type kubernetes --paused', 0, /^Created work pool 'verbs'!/],
      ['create verbs --type kubernetes', 1, taken],
      ['create verbs --type kubernetes --overwrite --base-job-template baseJobTemplate.json', 0, /^Updated work pool/],
      ['inspect verbs', 0, /"name": "verbs"/],
      ['inspect verbs --output json', 0, /"name": "verbs"/],
      ['update verbs --base-job-template baseJobTemplate.json', 0, "Updated work pool 'verbs'"],
      ['update verbs --base-job-template bad.json', 1, /422/],
      ['update verbs --base-job-template list.json', 1, /is not a JSON object/],
      ['update verbs --base-job-template no-such.json', 1, /cannot be read \(ENOENT\)/],
      ['update verbs --concurrency-limit 3 --description words', 0, "Updated work pool 'verbs'"],
      ['update none-verbs --description words', 1, "Work pool named 'none-verbs' does not exist."],
      ['create prefect-verbs --type kubernetes', 1, /reserved/],
      ['create verbs-typeless', 1, 'When not using an interactive terminal, you must supply a `--type` value.'],
    ])('%s ends with %i', async (line, code, text) => {
      const ended = await ours('work-pool', ...line.split(' '));
      expect(ended.code, ended.err).toBe(code);
      const said = (code === 0 ? ended.out : ended.err).trimEnd();
      if (typeof text === 'string') expect(said).toBe(text);
      else expect(said).toMatch(text);
    });

    it('has changed what it was told to, and nothing else', async () => {
      const pool = await readWorkPool(api, 'verbs', soon());
      expect(pool).toMatchObject({ concurrency_limit: 3, description: 'words', is_paused: false });
      expect(pool?.base_job_template.job_configuration).toMatchObject({ mine: true });
    });

    /** What the official chart's init container does. */
    const sync = `if ! prefect work-pool inspect $POOL > /dev/null; then echo initial; exit 0; fi
cat ./baseJobTemplate.json > /dev/null
prefect work-pool update $POOL --base-job-template ./baseJobTemplate.json`;

    it('keeps the template in step as the chart’s init container does it', async () => {
      const env = { ...base(), PATH: `${folder}:${process.env.PATH}`, POOL: 'chart-sync' };
      expect(await run('/bin/sh', ['-c', sync], env, folder)).toMatchObject({ code: 0, out: 'initial\n' });
      expect(await readWorkPool(api, 'chart-sync', soon())).toBeUndefined();
      await ours('work-pool', 'create', 'chart-sync', '--type', 'kubernetes');
      expect(await run('/bin/sh', ['-c', sync], env, folder)).toMatchObject({
        code: 0,
        out: "Updated work pool 'chart-sync'\n",
      });
      const pool = await readWorkPool(api, 'chart-sync', soon());
      expect(pool?.base_job_template.job_configuration).toMatchObject({ mine: true });
    });
  });

  describe('render', () => {
    const secret = 'pnu_hunter2hunter2';
    let deploymentId: string;

    beforeAll(async () => {
      await ours('work-pool', 'create', 'rendered', '--type', 'kubernetes');
      const flow = await createFlow(api, 'render-test', soon());
      const job_variables = { env: { A: '1' }, command: 'true', image: 'prefecthq/prefect:3-latest' };
      const body = { name: 'rendered', flow_id: flow.id, work_pool_name: 'rendered', job_variables };
      deploymentId = (await createDeployment(api, body, soon())).id;
    });

    it('shows the very Job that the run then gets', async () => {
      const order = { parameters: {}, idempotency_key: 'render-1', job_variables: { env: { B: '2' } } };
      const { id } = await createFlowRun(api, deploymentId, order, soon());
      const shown = await ours('render', id, '--name', 'renderer');
      expect(shown.err).toBe('');
      const worker = startWorker('rendered', rig.env, ['--name', 'renderer']);
      try {
        const job = await until('the Job', async () => (await cluster.jobs(id))[0], {
          timeoutMs: 60_000,
          describe: async () => worker.log(),
        });
        const rendered: unknown = parse(shown.out);
        // The name ends in what only the claim decides.
        const name = job.metadata?.name ?? '';
        const start = name.slice(0, name.lastIndexOf('-') + 1);
        expect(rendered).toMatchObject({ metadata: { name: expect.stringMatching(`^${start}[0-9a-f]{10}$`) } });
        expect(parse((await ours('render', id)).out)).toMatchObject({ metadata: { name } });
        const { env } = job.spec?.template.spec?.containers[0] ?? {};
        // The worker was started with a setting more.
        expect(env?.filter(({ name }) => !name.startsWith('PREFECT_WORKER_'))).toEqual(environmentOf(rendered));
      } finally {
        worker.kill('SIGTERM');
        await worker.ended;
      }
    });

    it('only reads, masks credentials, and says where each value is from', async () => {
      const proxy = await openRecordingProxy(rig.prefectApiUrl);
      try {
        const env = { ...base(), PREFECT_API_URL: proxy.url, PREFECT_API_KEY: secret };
        const shown = await run(process.execPath, [MAIN, 'render', 'render-test/rendered', '--origins'], env, folder);
        expect(shown).toMatchObject({ code: 0, err: expect.stringContaining('the run is made up') });
        expect(shown.out).not.toContain('hunter2');
        expect(shown.out).toMatch(/- name: PREFECT_API_KEY\n\s+value: "\*{8}" # worker: PREFECT_API_KEY\n/);
        expect(shown.out).toMatch(/- name: A\n\s+value: "1" # deployment: env\.A\n/);
        const writes = proxy.taken().filter((line) => !line.startsWith('GET ') && !line.endsWith('/filter'));
        expect(writes).toEqual([]);
      } finally {
        await proxy.close();
      }
    });

    it('writes JSON, with the origins beside the Job', async () => {
      const { out } = await ours('render', deploymentId, '-o', 'json', '--origins');
      expect(JSON.parse(out)).toMatchObject({ job: { kind: 'Job' }, origins: { '/kind': 'template' } });
      expect(JSON.parse((await ours('render', 'rendered', '-o', 'json')).out)).toMatchObject({ kind: 'Job' });
    });

    it.each([
      ['no-such', 'There is no run and no deployment no-such.'],
      ['a/b', 'There is no deployment a/b.'],
      ['11111111-1111-4111-8111-111111111111', 'There is no run and no deployment 11111111-'],
    ])('says that there is no %s', async (target, message) => {
      expect(await ours('render', target)).toMatchObject({ code: 1, out: '', err: expect.stringContaining(message) });
    });

    it('says what a run would crash with', async () => {
      const order = {
        parameters: {},
        idempotency_key: 'render-2',
        job_variables: { env: { X: '{{ prefect.blocks.secret.nope }}' } },
      };
      const { id } = await createFlowRun(api, deploymentId, order, soon());
      const { code, err } = await ours('render', id);
      expect([code, err]).toEqual([1, expect.stringContaining('No Job can be made: There is no block "nope"')]);
    });
  });

  describe('doctor', () => {
    const metadata = { name: 'doctor-test', namespace: NAMESPACE };

    afterAll(async () => {
      const which = { name: 'doctor-test', namespace: NAMESPACE };
      await unlessGone(cluster.rbac.deleteNamespacedRoleBinding(which));
      await unlessGone(cluster.rbac.deleteNamespacedRole(which));
      await unlessGone(cluster.core.deleteNamespacedServiceAccount(which));
    });

    it('finds nothing where all is well', async () => {
      await ours('work-pool', 'create', 'doctored', '--type', 'kubernetes');
      const { code, out } = await ours('doctor', '--pool', 'doctored');
      expect([code, out], out).toEqual([0, expect.stringContaining('ok   work pool: doctored, kubernetes')]);
      expect(out).toContain('ok   permissions: jobs in namespace default: create, get, list, watch, delete');
      expect(out).toContain('ok   clock: the Prefect API agrees');
      expect(out).toContain('ok   clock: the Kubernetes API agrees');
    });

    it('prints the Role that lacks, with which all is well', async () => {
      await cluster.core.createNamespacedServiceAccount({ namespace: NAMESPACE, body: { metadata } });
      const spec = { audiences: [], expirationSeconds: 3600 };
      const request = { name: 'doctor-test', namespace: NAMESPACE, body: { spec } };
      const { status } = await cluster.core.createNamespacedServiceAccountToken(request);
      const kubeconfig = join(folder, 'doctor.kubeconfig');
      const admin = parse(readFileSync(rig.kubeconfigPath, 'utf8'));
      admin.users = [{ name: admin.contexts[0].context.user, user: { token: status?.token } }];
      writeFileSync(kubeconfig, JSON.stringify(admin));
      const asAccount = (...args: string[]) =>
        run(
          process.execPath,
          [MAIN, 'doctor', '--pool', 'doctored', ...args],
          { ...base(), KUBECONFIG: kubeconfig, ...SECRETS },
          folder,
        );
      const SECRETS = { PREFECT_INTEGRATIONS_KUBERNETES_WORKER_STORE_ENV_AS_SECRET: 'true' };

      const { code, out } = await asAccount();
      expect([code, out]).toEqual([
        1,
        expect.stringContaining('fail permissions: jobs in namespace default: not permitted: create, get'),
      ]);
      const json = JSON.parse((await asAccount('--json')).out);
      expect(json).toMatchObject({
        ok: false,
        missing: expect.arrayContaining([expect.objectContaining({ resource: 'secrets', verb: 'delete' })]),
      });

      const [role] = parseAllDocuments(out.slice(out.indexOf('apiVersion:'))).map((document) => document.toJS());
      await cluster.rbac.createNamespacedRole({ namespace: NAMESPACE, body: { ...role, metadata } });
      await cluster.rbac.createNamespacedRoleBinding({
        namespace: NAMESPACE,
        body: {
          metadata,
          roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: 'doctor-test' },
          subjects: [{ kind: 'ServiceAccount', name: 'doctor-test', namespace: NAMESPACE }],
        },
      });
      await until('the Role counts', async () => ((await asAccount()).code === 0 ? true : undefined), {
        timeoutMs: 30_000,
      });
    });

    it('looks at both servers although one is not there, and at Secrets that Jobs need', async () => {
      const env = {
        ...base(),
        PREFECT_API_URL: 'http://127.0.0.1:9/api',
        PREFECT_INTEGRATIONS_KUBERNETES_WORKER_API_KEY_SECRET_NAME: 'no-such-secret',
        PREFECT_INTEGRATIONS_KUBERNETES_WORKER_API_KEY_SECRET_KEY: 'k',
      };
      const { code, out } = await run(process.execPath, [MAIN, 'doctor'], env, folder);
      expect(code).toBe(1);
      expect(out).toContain('fail Prefect API: no answer from the Prefect API at http://127.0.0.1:9/api');
      expect(out).toMatch(/ok {3}Kubernetes API: https:\S+ answers, v\d/);
      expect(out).toContain('fail Secrets: API key no-such-secret in namespace default does not exist');
    });

    it('says that there is no cluster', async () => {
      const { KUBECONFIG: _, ...env } = base() as Record<string, string | undefined>;
      const { code, out } = await run(process.execPath, [MAIN, 'doctor'], env, folder);
      expect([code, out]).toEqual([1, expect.stringContaining('fail Kubernetes API: There is no cluster to work in')]);
    });
  });
});
