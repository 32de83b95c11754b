import { afterEach, describe, expect, it } from 'vitest';
import { podObject } from '../testing/objects.ts';
import { connectTo, type Reply, type Seen, serve, status, type TestServer } from '../testing/server.ts';
import { testWorld } from '../testing/world.ts';
import { type CrashLogPolicy, CrashLogs, containersToRead, podsToRead } from './crash-logs.ts';
import { type PodFact, readPod } from './facts.ts';

let server: TestServer | undefined;
afterEach(async () => {
  await server?.close();
  server = undefined;
});

const signal = new AbortController().signal;
const ended = (name: string) => ({ name, image: 'i', state: { terminated: { exitCode: 1, reason: 'Error' } } });

function pod(
  options: { uid?: string; job?: string; createdAt?: number; phase?: string; init?: string[]; own?: string[] } = {},
) {
  const { uid = 'p1', job = 'job', createdAt = 0, phase = 'Failed', init = [], own = ['prefect-job'] } = options;
  const statuses = { initContainerStatuses: init.map(ended), containerStatuses: own.map(ended) };
  const fact = readPod(podObject({ uid, job, status: { phase, ...statuses } }));
  if (fact === undefined) throw new Error('no pod of a flow run');
  return { ...fact, createdAt };
}

const none = status(400, 'BadRequest', 'previous terminated container not found');
const text =
  (body: string): Reply =>
  (response) =>
    response.end(body);

/** What is told of pods whose containers have these logs, by `container` or `container/previous`. */
async function read(
  logs: Record<string, Reply>,
  pods: readonly PodFact[] = [pod()],
  policy: Partial<CrashLogPolicy> = {},
) {
  server = await serve(({ query }) => {
    const previous = query.get('previous') === 'true' ? '/previous' : '';
    return logs[`${query.get('container')}${previous}`] ?? none;
  });
  const kubernetes = connectTo(server);
  const world = testWorld();
  const crashLogs = new CrashLogs(kubernetes, { enabled: true, tailLines: 500, secrets: [], ...policy }, world.log);
  try {
    const lines = await crashLogs.read(pods, signal);
    const again = await crashLogs.read(pods, signal);
    expect(again).toEqual(lines);
    const asked = server.seen.slice(0, server.seen.length / 2);
    return { lines, asked, warned: world.logged.filter(({ level }) => level === 'warning').map((one) => one.text) };
  } finally {
    await kubernetes.close();
  }
}
const containers = (seen: readonly Seen[]) =>
  seen.map(({ query }) => `${query.get('container')}${query.get('previous') === 'true' ? '/previous' : ''}`);

/** Check 77 of contracts/worker.md §9. */
describe('the last lines of a crashed run', () => {
  it('are those of the container that runs the flow, under a heading, without empty ones', async () => {
    const { lines, asked } = await read({ 'prefect-job': text('one\n\n  \r\ntwo\n') });
    expect(lines).toEqual(["Container logs from container 'prefect-job' in pod 'job-p1':", 'one', 'two']);
    expect(asked.map(({ path }) => path)).toEqual(Array(2).fill('/api/v1/namespaces/default/pods/job-p1/log'));
    expect(containers(asked)).toEqual(['prefect-job/previous', 'prefect-job']);
    expect(asked[0]?.query.get('tailLines')).toBe('500');
  });

  it('are of the instance that crashed, when the container was started again', async () => {
    const { lines, asked } = await read({ 'prefect-job/previous': text('crash'), 'prefect-job': text('fresh') });
    expect(lines.slice(1)).toEqual(['crash']);
    expect(asked).toHaveLength(1);
  });

  it('are of the init containers and the others when the flow’s has nothing to say', async () => {
    const pods = [pod({ init: ['setup'], own: ['sidecar', 'prefect-job'] })];
    const { lines } = await read({ setup: text('no disk'), sidecar: text('bye'), 'prefect-job': text(' \n') }, pods);
    expect(lines).toEqual([
      "Container logs from init container 'setup' in pod 'job-p1':",
      'no disk',
      "Container logs from container 'sidecar' in pod 'job-p1':",
      'bye',
    ]);
  });

  it('are as many as configured, and fewer when they are too long', async () => {
    const long = 'x'.repeat(1024 * 1024);
    const { asked } = await read({ 'prefect-job/previous': text(long) }, [pod()], { tailLines: 20 });
    expect(asked.map(({ query }) => query.get('tailLines'))).toEqual(['20', '2', '1']);
  });

  it('are cut at a megabyte', async () => {
    const { lines } = await read({ 'prefect-job': text('x'.repeat(1_000_010)) });
    expect(lines[1]).toHaveLength(1_000_000);
    expect(lines[1]).toMatch(/xx\.\.\. \[truncated\]$/);
  });

  it('tell no secret of the worker', async () => {
    const { lines } = await read({ 'prefect-job': text('key is pnu_123') }, [pod()], { secrets: ['pnu_123'] });
    expect(lines[1]).toBe('key is ***');
  });

  it('are none when they cannot be read, which costs nothing else', async () => {
    expect((await read({ 'prefect-job': status(500, 'InternalError', 'no kubelet') })).lines).toEqual([]);
  });

  it('are none where the worker may not read them, which is said once', async () => {
    const forbidden = status(403, 'Forbidden', 'pods/log');
    const { lines, warned } = await read({ 'prefect-job/previous': forbidden, 'prefect-job': forbidden });
    expect(lines).toEqual([]);
    expect(warned).toEqual([expect.stringContaining('needs the verb get on pods/log in namespace default')]);
  });

  it('are not read when that is switched off', async () => {
    const { lines, asked } = await read({ 'prefect-job': text('one') }, [pod()], { enabled: false });
    expect([lines, asked]).toEqual([[], []]);
  });
});

describe('the pods whose logs are read', () => {
  it('are those of the newest Job that did not succeed, the newest first, and not all of many', () => {
    const pods = [
      pod({ uid: 'old', job: 'old', createdAt: 1 }),
      pod({ uid: 'done', createdAt: 9, phase: 'Succeeded' }),
      ...[2, 3, 4, 5, 6, 7].map((createdAt) => pod({ uid: `p${createdAt}`, createdAt })),
    ];
    expect(podsToRead(pods).map(({ uid }) => uid)).toEqual(['p7', 'p6', 'p5', 'p4', 'p3']);
    expect(podsToRead([])).toEqual([]);
  });
});

it.each<[string, Parameters<typeof pod>[0], string | undefined, string[]]>([
  ['the only one', { own: ['flow'], init: ['setup'] }, 'flow', ['setup']],
  ['the one that Prefect’s template names', { own: ['a', 'prefect-job'] }, 'prefect-job', ['a']],
  ['unknown, so all are read', { own: ['a', 'b'], init: ['setup'] }, undefined, ['setup', 'a', 'b']],
  ['not there yet', { own: [] }, undefined, []],
])('the container of the flow is %s', (_what, options, first, others) => {
  const found = containersToRead(pod(options));
  expect([found.first?.name, found.others.map(({ name }) => name)]).toEqual([first, others]);
});
