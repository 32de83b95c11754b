import { setTimeout as wait } from 'node:timers/promises';
import { afterEach, describe, expect, it } from 'vitest';
import type { KubernetesConnection } from '../k8s/connection.ts';
import { connectTo, type Reply, type Seen, serve, type TestServer } from '../testing/server.ts';
import { type JobFact, readJob } from './facts.ts';
import { type Change, Reflector } from './reflector.ts';

const open: { server?: TestServer; kubernetes?: KubernetesConnection; stop?: AbortController } = {};
afterEach(async () => {
  open.stop?.abort();
  await open.kubernetes?.close();
  await open.server?.close();
});

function job(name: string, resourceVersion: string, status: object = {}) {
  const metadata = {
    uid: name,
    name,
    namespace: 'n',
    resourceVersion,
    labels: { 'prefect.io/flow-run-id': `run-${name}` },
  };
  return { metadata, spec: { backoffLimit: 0 }, status };
}

const list = (resourceVersion: string, ...items: object[]): Reply => ({
  status: 200,
  json: { metadata: { resourceVersion }, items },
});

/** A watch that says these events and then ends, breaks, or stays open. */
function watch(end: 'end' | 'reset' | 'stay', ...events: object[]): Reply {
  return (response) => {
    response.writeHead(200, { 'content-type': 'application/json' });
    response.write(events.map((event) => `${JSON.stringify(event)}\n`).join(''), () => {
      if (end === 'end') response.end();
      if (end === 'reset') setImmediate(() => response.socket?.resetAndDestroy());
    });
  };
}

/** Runs a reflector against a server that gives these answers in order, until it has asked for all of them. */
async function reflect(...replies: Reply[]) {
  const changes: string[] = [];
  const stop = new AbortController();
  const server = await serve((_request, index) => replies[index] ?? watch('stay'));
  const kubernetes = connectTo(server);
  Object.assign(open, { server, kubernetes, stop });
  const reflector = new Reflector<JobFact>({
    kubernetes,
    resource: 'jobs',
    namespace: 'n',
    labelSelector: 'prefect.io/flow-run-id',
    read: readJob,
    onChange: ({ kind, fact }: Change<JobFact>) => changes.push(`${kind} ${fact.name}`),
    world: {
      env: {},
      clock: { now: Date.now, sleep: (_ms, signal) => wait(5, undefined, { signal }) },
      random: () => 0,
      log: { debug: () => undefined, info: () => undefined, warning: () => undefined, error: () => undefined },
    },
  });
  const running = reflector.run(stop.signal);
  for (let tries = 0; tries < 400 && server.seen.length < replies.length; tries += 1) await wait(5);
  await wait(20);
  stop.abort();
  await running;
  const asked = server.seen.map((request: Seen) =>
    request.query.get('watch') === 'true' ? `watch ${request.query.get('resourceVersion')}` : 'list',
  );
  return { changes, asked, known: [...reflector.known.keys()] };
}

describe('a reflector', () => {
  it('lists, then watches from there and goes on where a watch ended', async () => {
    const { changes, asked, known } = await reflect(
      list('10', job('a', '9')),
      watch('end', { type: 'ADDED', object: job('b', '11') }, { type: 'DELETED', object: job('a', '12') }),
      watch('stay'),
    );
    expect(asked.slice(0, 3)).toEqual(['list', 'watch 10', 'watch 12']);
    expect(changes).toEqual(['set a', 'set b', 'deleted a']);
    expect(known).toEqual(['b']);
  });

  it('goes on from a bookmark', async () => {
    const bookmark = { type: 'BOOKMARK', object: { metadata: { resourceVersion: '50' } } };
    const { asked } = await reflect(list('10'), watch('end', bookmark), watch('stay'));
    expect(asked.slice(0, 3)).toEqual(['list', 'watch 10', 'watch 50']);
  });

  it.each<[string, Reply]>([
    ['410', { status: 410, json: { kind: 'Status', reason: 'Expired', message: 'too old' } }],
    ['an ERROR event', watch('end', { type: 'ERROR', object: { kind: 'Status', code: 410 } })],
    ['an event that cannot be read', watch('end', { type: 'ADDED', object: { metadata: {} } })],
  ])('lists again after %s, and sees what was deleted meanwhile', async (_name, reply) => {
    const { changes, asked } = await reflect(
      list('10', job('a', '9'), job('b', '9')),
      reply,
      list('20', job('b', '9')),
      watch('stay'),
    );
    expect(asked.slice(0, 4)).toEqual(['list', 'watch 10', 'list', 'watch 20']);
    expect(changes).toEqual(['set a', 'set b', 'deleted a', 'set b']);
  });

  it.each<[string, Reply]>([
    ['a reset', watch('reset', { type: 'ADDED', object: job('b', '11') })],
    ['throttling', { status: 429, json: { kind: 'Status', reason: 'TooManyRequests' } }],
    ['a server that restarts', { status: 503 }],
  ])('watches again after %s without listing', async (_name, reply) => {
    const { asked, known } = await reflect(list('10', job('a', '9')), reply, watch('stay'));
    expect(asked.slice(0, 2)).toEqual(['list', 'watch 10']);
    expect(asked[2]).toMatch(/^watch/);
    expect(known).toContain('a');
  });

  it('lists until it is answered', async () => {
    const { asked, known } = await reflect({ status: 500 }, { status: 403 }, list('10', job('a', '9')), watch('stay'));
    expect(asked.slice(0, 4)).toEqual(['list', 'list', 'list', 'watch 10']);
    expect(known).toEqual(['a']);
  });
});
