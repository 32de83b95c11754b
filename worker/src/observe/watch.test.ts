import { afterEach, describe, expect, it } from 'vitest';
import { connectTo, serve, type TestServer } from '../testing/server.ts';
import { readWatch, type WatchEvent } from './watch.ts';

let server: TestServer | undefined;
afterEach(async () => {
  await server?.close();
  server = undefined;
});

const line = (type: string, resourceVersion: string, more: object = {}) =>
  `${JSON.stringify({ type, object: { metadata: { resourceVersion, name: 'ü' }, ...more } })}\n`;
const ERROR = (code: number, reason: string) =>
  `${JSON.stringify({ type: 'ERROR', object: { kind: 'Status', code, reason, message: 'm', details: { retryAfterSeconds: 2 } } })}\n`;

/** Reads a watch that sends these pieces and then ends, is cut off, or stays open. */
async function watch(
  pieces: readonly (string | Buffer)[],
  then: 'end' | 'cut' | 'stay' = 'end',
  options: { readonly idleMs?: number; readonly signal?: AbortSignal; readonly onEvent?: () => void } = {},
) {
  server = await serve(() => (response) => {
    response.writeHead(200);
    const send = (index: number): void => {
      const piece = pieces[index];
      if (piece !== undefined) response.write(piece, () => setTimeout(send, 5, index + 1));
      else if (then === 'end') response.end();
      else if (then === 'cut') response.socket?.destroy();
      else response.flushHeaders();
    };
    send(0);
  });
  const kubernetes = connectTo(server);
  const events: WatchEvent[] = [];
  const signal = options.signal ?? new AbortController().signal;
  try {
    const answer = await kubernetes.open({ method: 'GET', path: '/w', signal });
    const take = (event: WatchEvent) => {
      events.push(event);
      options.onEvent?.();
    };
    return { end: await readWatch(answer, take, options.idleMs ?? 5_000, signal), events };
  } finally {
    await kubernetes.close();
  }
}

describe('a watch', () => {
  it('gives its events in order, with the version to go on from', async () => {
    const { events, end } = await watch([line('ADDED', '1') + line('MODIFIED', '2'), line('BOOKMARK', '9')]);
    expect(events.map(({ type, resourceVersion }) => [type, resourceVersion])).toEqual([
      ['ADDED', '1'],
      ['MODIFIED', '2'],
      ['BOOKMARK', '9'],
    ]);
    expect(end.kind).toBe('ended');
  });

  it('may be cut anywhere between packets, inside a character too', async () => {
    const bytes = Buffer.from(line('ADDED', '1'));
    const middle = bytes.indexOf(Buffer.from('ü')) + 1;
    const { events } = await watch([bytes.subarray(0, middle), bytes.subarray(middle), '\n']);
    expect(events).toMatchObject([{ object: { metadata: { name: 'ü' } } }]);
  });

  it.each([
    [410, 'Expired', 'expired'],
    [410, 'Gone', 'expired'],
    [500, 'InternalError', 'failed'],
    [429, 'TooManyRequests', 'failed'],
  ])('ends with the error event %i %s: %s', async (code, reason, kind) => {
    const { end } = await watch([line('ADDED', '1'), ERROR(code, reason)], 'stay');
    expect(end).toEqual({ kind, detail: 'm', retryAfterMs: 2_000 });
  });

  it.each([
    ['that is no JSON', '{"type":\n'],
    ['of an unknown type', '{"type":"MOVED","object":{}}\n'],
    ['without a version', '{"type":"ADDED","object":{"metadata":{}}}\n'],
  ])('ends at a line %s', async (_about, bad) => {
    const { end, events } = await watch([line('ADDED', '1'), bad, line('ADDED', '2')], 'stay');
    expect(end.kind).toBe('malformed');
    expect(events).toHaveLength(1);
  });

  it('that ends inside a line is malformed', async () => {
    expect((await watch([line('ADDED', '1').slice(0, 20)])).end.kind).toBe('malformed');
  });

  it('that is reset has failed', async () => {
    expect((await watch([line('ADDED', '1')], 'cut')).end).toMatchObject({
      kind: 'failed',
      detail: expect.stringContaining('broken off'),
    });
  });

  it('that falls silent is taken for dead', async () => {
    const { end } = await watch([line('ADDED', '1')], 'stay', { idleMs: 60 });
    expect(end).toMatchObject({ kind: 'failed', detail: 'silent for 0.06 s' });
  });

  it('is left when the signal is aborted', async () => {
    const stop = new AbortController();
    const reason = new Error('stop');
    const reading = watch([line('ADDED', '1')], 'stay', { signal: stop.signal, onEvent: () => stop.abort(reason) });
    await expect(reading).rejects.toBe(reason);
  });

  it('passes on what its handler throws', async () => {
    const broken = new Error('a defect');
    const onEvent = () => {
      throw broken;
    };
    await expect(watch([line('ADDED', '1')], 'stay', { onEvent })).rejects.toBe(broken);
  });
});
