import { afterEach, describe, expect, it } from 'vitest';
import { jobObject } from '../testing/objects.ts';
import { connectTo, type Reply, type Seen, serve, status, type TestServer } from '../testing/server.ts';
import { type TestWorld, testWorld } from '../testing/world.ts';
import type { JobFact } from './facts.ts';
import { readJob } from './facts.ts';
import { type Change, Reflector } from './reflector.ts';

/** What the server answers next: a list, a watch with these lines, or anything else. */
type Step =
  | { readonly list: readonly object[]; readonly version?: string; readonly next?: string }
  | { readonly watch: readonly string[]; readonly ending?: 'end' | 'stay' | 'cut' }
  | { readonly reply: Reply };

const event = (type: string, object: object) => `${JSON.stringify({ type, object })}\n`;
const bookmark = (resourceVersion: string) => event('BOOKMARK', { metadata: { resourceVersion } });

let server: TestServer | undefined;
afterEach(async () => {
  await server?.close();
  server = undefined;
});

function replyTo(step: Step): Reply {
  if ('reply' in step) return step.reply;
  if ('list' in step) {
    const metadata = { resourceVersion: step.version ?? '10', ...(step.next ? { continue: step.next } : {}) };
    return { status: 200, json: { metadata, items: step.list } };
  }
  return (response) => {
    response.writeHead(200);
    response.write(step.watch.join(''), () => {
      if (step.ending === 'cut') response.socket?.destroy();
      else if (step.ending !== 'stay') response.end();
    });
    if (step.watch.length === 0) response.flushHeaders();
  };
}

/** Runs a reflector against these steps until the last, which stays open, was asked for and read. */
async function reflect(steps: readonly Step[], options: { readonly world?: TestWorld; readonly idleMs?: number } = {}) {
  const world = options.world ?? testWorld();
  const stop = new AbortController();
  const seen: Seen[] = [];
  server = await serve((request, index) => {
    seen.push(request);
    const step = steps[index];
    if (step === undefined) {
      stop.abort(new Error('done'));
      return () => undefined;
    }
    return replyTo(step);
  });
  const kubernetes = connectTo(server);
  const changes: string[] = [];
  const listed: boolean[] = [];
  const reflector = new Reflector<JobFact>({
    kubernetes,
    resource: 'jobs',
    namespace: 'default',
    labelSelector: 'prefect.io/flow-run-id',
    read: readJob,
    world,
    onChange: ({ kind, fact }: Change<JobFact>) => changes.push(`${kind} ${fact.uid}@${fact.version}`),
    onListed: () => listed.push(reflector.synced),
    policy: {
      pageSize: 2,
      watchSeconds: [240, 60],
      idleMs: options.idleMs ?? 5_000,
      backoff: { firstMs: 250, mostMs: 30_000 },
      forbiddenMs: 60_000,
    },
  });
  await reflector.run(stop.signal);
  await kubernetes.close();
  const asked = seen.map(({ query }) => (query.get('watch') ? `watch ${query.get('resourceVersion')}` : 'list'));
  return { changes, listed, asked, seen, world, reflector };
}

describe('a reflector', () => {
  it('lists in pages, then watches from where the list ended', async () => {
    const { changes, asked, seen, reflector } = await reflect([
      { list: [jobObject({ uid: 'a' }), jobObject({ uid: 'b' })], next: 'more', version: '10' },
      { list: [jobObject({ uid: 'c' })], version: '10' },
      { watch: [event('MODIFIED', jobObject({ uid: 'a', version: '11' })), bookmark('15')] },
    ]);
    expect(changes).toEqual(['set a@1', 'set b@1', 'set c@1', 'set a@11']);
    expect(asked).toEqual(['list', 'list', 'watch 10', 'watch 15']);
    expect(seen[1]?.query.get('continue')).toBe('more');
    expect(Object.fromEntries(seen[2]?.query ?? [])).toEqual({
      watch: 'true',
      allowWatchBookmarks: 'true',
      labelSelector: 'prefect.io/flow-run-id',
      resourceVersion: '10',
      timeoutSeconds: '270',
    });
    expect(reflector.synced).toBe(true);
  });

  it('tells of a complete list, also of nothing, when it is synced', async () => {
    const { changes, listed } = await reflect([{ list: [], next: 'more' }, { list: [] }, { watch: [bookmark('11')] }]);
    expect(changes).toEqual([]);
    expect(listed).toEqual([true]);
  });

  it.each<[string, Step]>([
    ['as an answer', { reply: status(410, 'Expired', 'too old') }],
    ['as an event', { watch: [event('ERROR', { code: 410, reason: 'Expired' })] }],
  ])('lists again when its version is too old: %s', async (_about, expired) => {
    const { changes, asked, world } = await reflect([
      { list: [jobObject({ uid: 'a' }), jobObject({ uid: 'b' })] },
      expired,
      { list: [jobObject({ uid: 'b' }), jobObject({ uid: 'c' })], version: '20' },
      { watch: [bookmark('21')] },
    ]);
    expect(asked).toEqual(['list', 'watch 10', 'list', 'watch 20', 'watch 21']);
    // What was deleted unseen comes out; what is as it was is not told again.
    expect(changes).toEqual(['set a@1', 'set b@1', 'deleted a@1', 'set c@1']);
    // The first time at once: the only pause is that after the last watch, which ended as soon as it began.
    expect(world.slept).toEqual([125]);
  });

  it('does not list in a hurry when every watch is refused as too old', async () => {
    const round: Step[] = [{ list: [] }, { reply: status(410, 'Expired', 'too old') }];
    const { world } = await reflect([...round, ...round, ...round, ...round]);
    expect(world.slept).toEqual([250, 500, 1_000]);
  });

  it('goes on from its version after a reset, an error or a silence, each time later', async () => {
    const { asked, world } = await reflect(
      [
        { list: [] },
        { watch: [bookmark('11')], ending: 'cut' },
        { reply: status(500, 'InternalError', 'x') },
        { watch: [], ending: 'stay' },
        { reply: (response) => response.socket?.destroy() },
      ],
      { idleMs: 50 },
    );
    expect(asked).toEqual(['list', 'watch 10', 'watch 11', 'watch 11', 'watch 11', 'watch 11']);
    expect(world.slept).toEqual([125, 250, 500, 1_000]);
  });

  it('does not spin on a server that ends each watch at once', async () => {
    const { world } = await reflect([{ list: [] }, { watch: [] }, { watch: [] }, { watch: [] }, { watch: [] }]);
    expect(world.slept).toEqual([125, 250, 500, 1_000]);
  });

  it('waits as long as the server asks', async () => {
    const { world } = await reflect([
      { reply: { status: 429, headers: { 'retry-after': '7' } } },
      { list: [] },
      { watch: [bookmark('2')] },
    ]);
    expect(world.slept[0]).toBe(7_000);
  });

  it('lists again when lines cannot be read twice', async () => {
    const { asked } = await reflect([
      { list: [] },
      { watch: ['{"type":\n'] },
      { watch: ['rubbish\n'] },
      { list: [], version: '30' },
      { watch: [bookmark('31')] },
    ]);
    expect(asked).toEqual(['list', 'watch 10', 'watch 10', 'list', 'watch 30', 'watch 31']);
  });

  it('says once what permission is missing, and asks again slowly', async () => {
    const forbidden: Step = { reply: status(403, 'Forbidden', 'jobs is forbidden') };
    const { world } = await reflect([forbidden, forbidden, { list: [] }, { watch: [bookmark('2')] }]);
    expect(world.slept.slice(0, 2)).toEqual([60_000, 60_000]);
    const errors = world.logged.filter(({ level }) => level === 'error');
    expect(errors).toHaveLength(1);
    expect(errors[0]?.text).toContain('Give its service account the verbs get, list and watch on jobs');
  });

  it('survives an answer that is no list', async () => {
    const { asked } = await reflect([
      { reply: (response) => response.writeHead(200).end('<html>') },
      { list: [{ metadata: {} }] },
      { list: [] },
      { watch: [bookmark('2')] },
    ]);
    expect(asked).toEqual(['list', 'list', 'list', 'watch 10', 'watch 2']);
  });

  it('tells of a deletion, and of a Job that another answer brought', async () => {
    const { changes, reflector } = await reflect([
      { list: [jobObject({ uid: 'a' })] },
      { watch: [event('DELETED', jobObject({ uid: 'a', version: '12' }))] },
    ]);
    expect(changes).toEqual(['set a@1', 'deleted a@12']);
    reflector.learn(jobObject({ uid: 'b', version: '5' }));
    reflector.learn(jobObject({ uid: 'b', version: '4' }));
    expect(changes.slice(2)).toEqual(['set b@5']);
  });
});
