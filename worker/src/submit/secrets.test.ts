import { afterEach, describe, expect, it } from 'vitest';
import type { JobManifest } from '../render/render.ts';
import type { SecretManifest } from '../render/secrets.ts';
import { jobObject } from '../testing/objects.ts';
import { connectTo, type Reply, type Seen, serve, status, type TestServer } from '../testing/server.ts';
import { testWorld } from '../testing/world.ts';
import { JobSecrets } from './secrets.ts';
import { submitJob } from './submit.ts';

const key = (value = 'a2V5'): SecretManifest => ({
  kind: 'api-key',
  name: 'prefect-w-api-key',
  body: { kind: 'Secret', metadata: { name: 'prefect-w-api-key' }, data: { value } },
});
const env: SecretManifest = {
  kind: 'env',
  name: 'bee-env-0123456789',
  body: { kind: 'Secret', metadata: { name: 'bee-env-0123456789' }, stringData: { A: '1' } },
};
const jobWith = (...secrets: SecretManifest[]): JobManifest => ({
  namespace: 'flows',
  name: 'bee-0123456789',
  body: { metadata: { name: 'bee-0123456789' } },
  secrets,
  cluster: undefined,
  notes: [],
});
const stored = (value: string): Reply => ({
  status: 200,
  json: { kind: 'Secret', metadata: { name: 'prefect-w-api-key', resourceVersion: '7' }, data: { value } },
});
const missing = status(404, 'NotFound', 'secrets "x" not found');
const taken = status(409, 'AlreadyExists', 'secrets "x" already exists');
const forbidden = status(403, 'Forbidden', 'secrets is forbidden');
const signal = new AbortController().signal;
const SECRETS = '/api/v1/namespaces/flows/secrets';

let server: TestServer | undefined;
afterEach(async () => {
  await server?.close();
  server = undefined;
});

/** A cluster that answers as told, once for each request of a kind, then 201; and Secrets to be made in it. */
async function open(answers: Readonly<Record<string, readonly Reply[]>>, keysBelongToJobs = false) {
  const counts = new Map<string, number>();
  const fine: Reply = { status: 201, json: jobObject() };
  server = await serve(({ method }) => {
    const count = counts.get(method) ?? 0;
    counts.set(method, count + 1);
    return answers[method]?.[count] ?? fine;
  });
  const world = testWorld();
  const kubernetes = connectTo(server);
  const secrets = new JobSecrets({ keysBelongToJobs, world });
  return { kubernetes, secrets, world, seen: server.seen };
}
const line = ({ method, path }: Seen) => `${method} ${path.replace(SECRETS, '…')}`;

describe('the Secret of the API key', () => {
  it.each<[string, Record<string, readonly Reply[]>, string[]]>([
    ['is created where there is none', { GET: [missing] }, ['GET …/prefect-w-api-key', 'POST …']],
    ['is left where it is right', { GET: [stored('a2V5')] }, ['GET …/prefect-w-api-key']],
    [
      'is replaced where it holds another key',
      { GET: [stored('b2xk')] },
      ['GET …/prefect-w-api-key', 'PUT …/prefect-w-api-key'],
    ],
    [
      'is looked at again when another replica was first',
      { GET: [missing, stored('a2V5')], POST: [taken] },
      ['GET …/prefect-w-api-key', 'POST …', 'GET …/prefect-w-api-key'],
    ],
  ])('%s', async (_about, answers, expected) => {
    const { kubernetes, secrets, seen } = await open(answers);
    await secrets.make(jobWith(key()), kubernetes, signal);
    expect(seen.map(line)).toEqual(expected);
    await kubernetes.close();
  });

  it('keeps what else somebody put on it', async () => {
    const { kubernetes, secrets, seen } = await open({ GET: [stored('b2xk')] });
    await secrets.make(jobWith(key()), kubernetes, signal);
    expect(JSON.parse(seen[1]?.body ?? '')).toEqual({
      kind: 'Secret',
      metadata: { name: 'prefect-w-api-key', resourceVersion: '7' },
      data: { value: 'a2V5' },
    });
    await kubernetes.close();
  });

  it('is made once for all Jobs, and looked at again after a minute or with another key', async () => {
    const { kubernetes, secrets, world, seen } = await open({ GET: [missing, stored('a2V5'), stored('a2V5')] });
    await Promise.all([1, 2, 3].map(() => secrets.make(jobWith(key()), kubernetes, signal)));
    expect(seen).toHaveLength(2);
    world.pass(61_000);
    await secrets.make(jobWith(key()), kubernetes, signal);
    expect(seen).toHaveLength(3);
    await secrets.make(jobWith(key('bmV3')), kubernetes, signal);
    expect(seen.map(line).slice(3)).toEqual(['GET …/prefect-w-api-key', 'PUT …/prefect-w-api-key']);
    await kubernetes.close();
  });

  it('is asked for again after a failure', async () => {
    const { kubernetes, secrets } = await open({ GET: [forbidden, missing] });
    await expect(secrets.make(jobWith(key()), kubernetes, signal)).rejects.toThrow('403');
    await secrets.make(jobWith(key()), kubernetes, signal);
    await kubernetes.close();
  });

  it.each([
    [false, []],
    [true, ['PATCH …/prefect-w-api-key']],
  ])('belongs to the Jobs of a worker that ends after one poll: %s', async (keysBelongToJobs, expected) => {
    const { kubernetes, secrets, seen } = await open({}, keysBelongToJobs);
    await secrets.giveTo(jobWith(key()), jobObject(), kubernetes, signal);
    expect(seen.map(line)).toEqual(expected);
    await kubernetes.close();
  });
});

describe('the Secret of a Job’s environment', () => {
  it('is replaced where an earlier try left one', async () => {
    const { kubernetes, secrets, seen } = await open({ POST: [taken] });
    await secrets.make(jobWith(env), kubernetes, signal);
    expect(seen.map(line)).toEqual(['POST …', 'PUT …/bee-env-0123456789']);
    await kubernetes.close();
  });

  it('belongs to the Job afterwards', async () => {
    const { kubernetes, secrets, seen } = await open({});
    await secrets.giveTo(jobWith(env), jobObject({ uid: 'u9', name: 'bee' }), kubernetes, signal);
    expect(seen.map(line)).toEqual(['PATCH …/bee-env-0123456789']);
    expect(seen[0]?.headers['content-type']).toBe('application/strategic-merge-patch+json');
    expect(JSON.parse(seen[0]?.body ?? '')).toEqual({
      metadata: { ownerReferences: [{ apiVersion: 'batch/v1', kind: 'Job', name: 'bee', uid: 'u9' }] },
    });
    await kubernetes.close();
  });

  it('is given to it by replacing where patching is not permitted, again when others write it', async () => {
    const json = { metadata: { name: 'x', ownerReferences: [{ uid: 'u0' }] }, data: { A: 'MQ==' } };
    const got: Reply = { status: 200, json };
    const conflict = status(409, 'Conflict', 'the object has been modified');
    const { kubernetes, secrets, seen, world } = await open({ PATCH: [forbidden], GET: [got, got], PUT: [conflict] });
    await secrets.giveTo(jobWith(env), jobObject({ uid: 'u9' }), kubernetes, signal);
    expect(seen.map(({ method }) => method)).toEqual(['PATCH', 'GET', 'PUT', 'GET', 'PUT']);
    expect(JSON.parse(seen[4]?.body ?? '')).toMatchObject({
      data: { A: 'MQ==' },
      metadata: { ownerReferences: [{ uid: 'u0' }, { uid: 'u9' }] },
    });
    expect(world.logged).toEqual([]);
    await kubernetes.close();
  });

  it('is left behind with a word in the log when neither is permitted', async () => {
    const { kubernetes, secrets, world } = await open({ PATCH: [forbidden], GET: [forbidden] });
    await secrets.giveTo(jobWith(env), jobObject(), kubernetes, signal);
    expect(world.logged.map(({ text }) => text)).toEqual([
      expect.stringContaining('Secret flows/bee-env-0123456789 will not be deleted with its Job: '),
    ]);
    await kubernetes.close();
  });

  it.each([
    ['goes with a Job that will not be', [env], ['DELETE …/bee-env-0123456789']],
    ['goes alone: others use the key', [key()], []],
  ])('%s', async (_about, made, expected) => {
    const { kubernetes, secrets, seen } = await open({ DELETE: [missing] });
    await secrets.discard(jobWith(...made), kubernetes, signal);
    expect(seen.map(line)).toEqual(expected);
    await kubernetes.close();
  });
});

describe('a Job is created after its Secrets', () => {
  const POLICY = { maxAttempts: 3, retryDelayMs: 0, retryJitterMs: [0, 0] as const };
  const submit = async (answers: Record<string, readonly Reply[]>) => {
    const { kubernetes, secrets, world, seen } = await open(answers);
    const stopping = { stop: signal, cut: signal };
    const made = await submitJob(jobWith(env), kubernetes, secrets, POLICY, world, stopping);
    await kubernetes.close();
    return { made, calls: seen.map(line) };
  };
  const JOBS = 'POST /apis/batch/v1/namespaces/flows/jobs';

  it('and a Secret whose answer was lost is found and replaced', async () => {
    const lost: Reply = (response) => response.socket?.destroy();
    const { made, calls } = await submit({ POST: [lost, taken] });
    expect(made.kind).toBe('created');
    expect(calls).toEqual(['POST …', 'POST …', 'PUT …/bee-env-0123456789', JOBS]);
  });

  it('and not at all without them: the message names the verbs that lack', async () => {
    const { made, calls } = await submit({ POST: [forbidden] });
    expect(made).toEqual({
      kind: 'refused',
      message:
        'Unable to create Kubernetes secret: Forbidden: secrets is forbidden. Hint: check the Role of the worker’s ' +
        'service account: it needs the verbs get, create, update and delete on secrets in namespace flows ' +
        '(in the official chart: jobApiKeyPropagation: autoSecret).',
    });
    expect(calls).toEqual(['POST …']);
  });
});
