import { readFileSync } from 'node:fs';
import { request } from 'node:https';
import { type CoreV1Api, KubeConfig } from '@kubernetes/client-node';
import { isJsonObject, type Json, type JsonObject, parseJson } from '@slipway/prefect/json';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { GOLDENS_FILE, Goldens, object, readCases } from '../differential/worker/cases.ts';
import { ourJob } from '../differential/worker/our-job.ts';
import { openCluster, unlessGone, until } from '../journey/cluster.ts';

/** What the API server makes of a Job: how it keeps it, or why it refuses it; and what it warns of. */
interface Kept {
  readonly status: number;
  readonly warnings: readonly string[];
  /** The object without what differs from one create to the next, or the server's words. */
  readonly object: JsonObject | string;
}

const cases = new Map(readCases().map((each) => [each.about, each]));
const goldens = Goldens.parse(parseJson(readFileSync(GOLDENS_FILE, 'utf8'))).answers;
/** The Jobs that Prefect sends, one a case. */
const jobs = goldens.flatMap((answer) => {
  const job = 'requests' in answer ? answer.requests.find(({ path }) => path.endsWith('/jobs')) : undefined;
  return job === undefined ? [] : [{ about: answer.about, namespace: job.path.split('/')[5] ?? '', body: job.body }];
});
/** Prefect's Job is refused for a name or label that it built itself; ours has a valid one (docs/decisions/differences.md). */
const REFUSED = new Set([
  'run with a name of symbols',
  'name of symbols by the deployment',
  'generateName given with capitals and no dash',
  'args as text in the manifest',
]);
/** Namespaces of this test's own, where no pod can be: the Jobs are only kept. */
const own = (namespace: string) => `slipway-differential-${namespace}`;
const namespaces = [...new Set(jobs.map(({ namespace }) => own(namespace)))];

describe('the API server keeps our Job as it keeps Prefect’s', () => {
  const rig = inject('rig');
  let core: CoreV1Api;
  const config = new KubeConfig();

  beforeAll(async () => {
    config.loadFromFile(rig.kubeconfigPath);
    core = openCluster(rig.kubeconfigPath).core;
    for (const name of namespaces) {
      await core.createNamespace({ body: { metadata: { name } } });
      const quota = { metadata: { name: 'no-pods' }, spec: { hard: { pods: '0' } } };
      await core.createNamespacedResourceQuota({ namespace: name, body: quota });
    }
    await until(
      'quotas count',
      async () => {
        const quotas = await Promise.all(
          namespaces.map((namespace) => core.readNamespacedResourceQuota({ name: 'no-pods', namespace })),
        );
        return quotas.every((quota) => quota.status?.hard?.pods === '0') ? true : undefined;
      },
      { timeoutMs: 60_000 },
    );
  });
  afterAll(async () => {
    for (const name of namespaces) await unlessGone(core.deleteNamespace({ name, propagationPolicy: 'Background' }));
  });

  /** Creates a Job as the worker's connection does: with no field validation asked for, as Python's client. */
  async function keep(namespace: string, body: JsonObject): Promise<Kept> {
    const path = `/apis/batch/v1/namespaces/${own(namespace)}/jobs`;
    // The end of a Secret's name is by chance in Prefect's.
    const sent = JSON.stringify(inOwnNamespace(body, namespace)).replace(/-env-[0-9a-f]{8,10}"/g, '-env-x"');
    const { text, ...answer } = await send('POST', path, sent);
    const made = parseJson(text);
    if (!isJsonObject(made)) throw new Error(text);
    const name = isJsonObject(made.metadata) ? String(made.metadata.name ?? '') : '';
    if (answer.status !== 201) {
      const given = isJsonObject(body.metadata) ? [body.metadata.name, body.metadata.generateName] : [];
      const words = given.reduce<string>(
        (said, each) => (typeof each === 'string' ? said.replaceAll(each, 'NAME-') : said),
        String(made.message),
      );
      // A name that the server completed is quoted with its end.
      return { ...answer, object: words.replace(/NAME-[a-z0-9]{0,5}(?=")/g, 'NAME') };
    }
    await send('DELETE', `${path}/${name}`, JSON.stringify({ propagationPolicy: 'Background', gracePeriodSeconds: 0 }));
    return { ...answer, object: settled(made, name) };
  }

  async function send(method: string, path: string, body: string) {
    const url = new URL(`${config.getCurrentCluster()?.server}${path}`);
    const options = { method, headers: { 'content-type': 'application/json', accept: 'application/json' } };
    await config.applyToHTTPSOptions(options);
    const { promise, resolve, reject } = Promise.withResolvers<{ status: number; warnings: string[]; text: string }>();
    const call = request(url, options, async (response) => {
      const chunks: Buffer[] = [];
      for await (const chunk of response) chunks.push(chunk);
      const warning = response.headers.warning;
      const warnings = (Array.isArray(warning) ? warning : (warning ?? '').split(/, (?=299 )/)).filter(Boolean).sort();
      resolve({ status: response.statusCode ?? 0, warnings, text: Buffer.concat(chunks).toString() });
    });
    call.on('error', reject).end(body);
    return await promise;
  }

  it('in at least forty cases', () => {
    expect(jobs.length).toBeGreaterThanOrEqual(40);
  });

  it.each(jobs.map((each, index) => [each.about, each, index] as const))('%s', async (about, {
    namespace,
    body,
  }, index) => {
    const given = cases.get(about);
    if (given === undefined) throw new Error(`no case "${about}"`);
    const theirs = await keep(namespace, body);
    const ours = await keep(namespace, named((await ourJob(given)).body, index));
    if (REFUSED.has(about)) expect([theirs.status, ours.status]).toEqual([422, 201]);
    else expect(ours).toEqual(theirs);
  });
});

/** All cases are of one run, so that their Jobs have one name, and a deleted Job keeps it for a while. */
function named(body: JsonObject, index: number): JsonObject {
  const metadata = object.parse(body.metadata);
  return { ...body, metadata: { ...metadata, name: `${String(metadata.name).slice(0, 50)}-${index}` } };
}

function inOwnNamespace(body: JsonObject, namespace: string): JsonObject {
  const metadata = object.parse(body.metadata);
  return metadata.namespace === namespace ? { ...body, metadata: { ...metadata, namespace: own(namespace) } } : body;
}

/** Without name, ids, times and what the server derives from them. */
function settled(job: JsonObject, name: string): JsonObject {
  const { metadata, spec } = { metadata: object.parse(job.metadata), spec: object.parse(job.spec) };
  const uid = String(metadata.uid);
  const {
    name: _n,
    generateName: _g,
    uid: _u,
    resourceVersion: _r,
    creationTimestamp: _c,
    managedFields: _m,
    ...kept
  } = metadata;
  const derived = new Set([uid, name]);
  const without = (value: Json): Json => {
    if (Array.isArray(value)) return value.map(without);
    if (!isJsonObject(value)) return value;
    return Object.fromEntries(
      Object.entries(value).flatMap(([key, member]) =>
        typeof member === 'string' && derived.has(member) ? [] : [[key, without(member)]],
      ),
    );
  };
  return { metadata: without(kept), spec: without(spec) };
}
