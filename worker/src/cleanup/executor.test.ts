import { describe, expect, it } from 'vitest';
import * as z from 'zod';
import { type CleanupMessage, readFrame } from '../channel/frames.ts';
import { cleanupFrame, resultFrame } from '../testing/frames.ts';
import { manualClock } from '../testing/manual-clock.ts';
import { testWorld } from '../testing/world.ts';
import { CleanupExecutor, type Outcome } from './executor.ts';

/** The server's clock is an hour ahead of ours: a lease is what it gives, not when it says that it ends. */
const SERVER = Date.parse('2026-11-26T12:00:00.500Z');
const OURS = SERVER - 3_600_000;
const DONE: Outcome = { kind: 'ack', why: 'done' };

const Sent = z.object({
  id: z.string(),
  type: z.string(),
  payload: z.object({ reservation_token: z.string(), reason: z.string().optional() }),
});

function message(more: object = {}): CleanupMessage {
  const frame = readFrame(cleanupFrame(more));
  if (frame.type !== 'cleanup.message.v1') throw new Error(frame.type);
  return frame.payload;
}

/** An executor with work that a test ends, and a server that answers when a test says so. */
function start(work: (message: CleanupMessage, signal: AbortSignal) => Promise<Outcome>, room = 1) {
  const clock = manualClock(OURS);
  const world = { ...testWorld(), clock };
  const sent: z.infer<typeof Sent>[] = [];
  let online = true;
  const executor = new CleanupExecutor({
    async send({ text }, signal) {
      while (!online) await clock.sleep(100, signal);
      sent.push(Sent.parse(JSON.parse(text)));
    },
    work,
    world,
  });
  executor.connected(room);
  /** Answers the last operation that was sent. */
  const answer = async (more: object) => {
    const last = sent.at(-1);
    const operation = last?.type.split('.')[1];
    const frame = readFrame(resultFrame({ request_frame_id: last?.id, operation, ...more }));
    if (frame.type !== 'cleanup.operation_result.v1') throw new Error(frame.type);
    executor.answered(frame.payload, frame.sent_at);
    await clock.pass(0);
  };
  return {
    executor,
    clock,
    world,
    answer,
    submit: async (more: object = {}) => {
      executor.submit(message(more), SERVER);
      await clock.pass(0);
    },
    said: () => sent.map(({ type, payload }) => [type.split('.')[1], payload.reason].filter(Boolean).join(' ')),
    ids: () => sent.map(({ id }) => id),
    goOffline: () => {
      online = false;
    },
    goOnline: () => {
      online = true;
    },
  };
}

const lease = (seconds: number) => ({ lease_expires_at: new Date(SERVER + seconds * 1000).toISOString() });
const renewed = (seconds: number) => ({ operation: 'renew', ...lease(seconds) });
const never = (_message: CleanupMessage, signal: AbortSignal) =>
  new Promise<Outcome>((_done, failed) => signal.addEventListener('abort', () => failed(signal.reason)));

/** Check 62 of contracts/worker.md §9. */
describe('work that the server hands out', () => {
  it('is done and acknowledged', async () => {
    const { submit, said, answer, executor } = start(async () => DONE);
    await submit();
    expect(said()).toEqual(['ack']);
    await answer({});
    await executor.close();
    expect(said()).toEqual(['ack']);
  });

  it('is given back for the reason that the work gives', async () => {
    const { submit, said } = start(async () => ({ kind: 'release', reason: 'infrastructure_not_available' }));
    await submit();
    expect(said()).toEqual(['release infrastructure_not_available']);
  });

  it('is given back when it fails, and the reason is told', async () => {
    const { submit, said, world } = start(async () => {
      throw new Error('no such verb');
    });
    await submit();
    expect(said()).toEqual(['release handler_failed']);
    expect(world.logged.map(({ text }) => text).join()).toContain('no such verb');
  });

  it.each([
    ['release unsupported_cleanup_kind', { kind: 'pending_claim_teardown.v1' }, 1],
    ['release cleanup_delivery_unavailable', {}, 0],
  ])('is not begun: %s', async (reason, more, room) => {
    const { submit, said } = start(async () => DONE, room);
    await submit(more);
    expect(said()).toEqual([reason]);
  });

  it('is one at a time: another is given back, the same one is not answered', async () => {
    const { submit, said, executor } = start(never);
    await submit();
    await submit();
    await submit({ reservation_token: 'other' });
    expect(said()).toEqual(['release concurrency_limit_reached']);
    await executor.close();
  });

  it('is taken again when it is done', async () => {
    const { submit, said, answer } = start(async () => DONE);
    await submit();
    await answer({});
    await submit({ reservation_token: 'other' });
    expect(said()).toEqual(['ack', 'ack']);
  });

  it('that came too late is not answered', async () => {
    const { submit, said } = start(async () => DONE);
    await submit(lease(0));
    expect(said()).toEqual([]);
  });
});

describe('the lease of work', () => {
  it('is renewed five seconds before its end, as often as it must be', async () => {
    const { submit, said, answer, clock, executor } = start(never);
    await submit();
    await clock.pass(24_900);
    expect(said()).toEqual([]);
    await clock.pass(200);
    expect(said()).toEqual(['renew']);
    await answer(renewed(20));
    await clock.pass(14_900);
    expect(said()).toEqual(['renew']);
    await clock.pass(200);
    expect(said()).toEqual(['renew', 'renew']);
    await executor.close();
  });

  it.each([
    'not_current',
    'expired',
    'invalid_token',
    'unauthorized',
    'dead_lettered',
    'not_found',
  ])('is lost when the server says %s: the work is given up and nothing is said', async (status) => {
    let given: unknown;
    const { submit, said, answer, clock, executor } = start((one, signal) => {
      signal.addEventListener('abort', () => {
        given = signal.reason;
      });
      return never(one, signal);
    });
    await submit();
    await clock.pass(25_000);
    await answer({ status, reason: 'so' });
    expect(String(given)).toContain(status);
    await executor.close();
    expect(said()).toEqual(['renew']);
  });

  it('is asked for again after an error, and lost at its end', async () => {
    let lost = false;
    const { submit, said, answer, clock } = start((one, signal) => {
      signal.addEventListener('abort', () => {
        lost = true;
      });
      return never(one, signal);
    });
    await submit();
    await clock.pass(25_000);
    await answer({ status: 'error', reason: 'busy' });
    await clock.pass(1_000);
    expect(said()).toEqual(['renew', 'renew']);
    expect(lost).toBe(false);
    await clock.pass(4_000);
    expect(lost).toBe(true);
  });

  it('is lost with a channel on which the server takes no cleanup from us', async () => {
    let lost = false;
    const { submit, executor } = start((one, signal) => {
      signal.addEventListener('abort', () => {
        lost = true;
      });
      return never(one, signal);
    });
    await submit();
    executor.connected(0);
    expect(lost).toBe(true);
  });

  it('is not waited out by a worker that stops', async () => {
    const { submit, said, executor } = start(never);
    await submit();
    await executor.close();
    expect(said()).toEqual([]);
  });
});

describe('what is said of work', () => {
  it('is said again, under another id, when no answer comes: three times, thirty seconds each', async () => {
    const { submit, said, ids, clock, answer } = start(async () => DONE);
    await submit(lease(3_600));
    expect(said()).toEqual(['ack']);
    await clock.pass(30_900);
    expect(said()).toEqual(['ack']);
    await clock.pass(200);
    expect(said()).toEqual(['ack', 'ack']);
    await clock.pass(31_000);
    expect(said()).toEqual(['ack', 'ack', 'ack']);
    expect(new Set(ids()).size).toBe(3);
    await clock.pass(600_000);
    expect(said()).toEqual(['ack', 'ack', 'ack']);
    await answer({});
  });

  it('is said again after an error, a second later', async () => {
    const { submit, said, clock, answer } = start(async () => DONE);
    await submit();
    await answer({ status: 'error', reason: 'busy' });
    await clock.pass(900);
    expect(said()).toEqual(['ack']);
    await clock.pass(200);
    expect(said()).toEqual(['ack', 'ack']);
  });

  it.each(['not_found', 'not_current', 'expired'])('is not said again when the answer is %s', async (status) => {
    const { submit, said, clock, answer } = start(async () => DONE);
    await submit();
    await answer({ status, reason: 'so' });
    await clock.pass(600_000);
    expect(said()).toEqual(['ack']);
  });

  it('waits for a channel that broke and comes again, as long as the lease holds', async () => {
    let finish: (outcome: Outcome) => void = () => undefined;
    const { submit, said, clock, goOffline, goOnline, executor } = start(
      () => new Promise<Outcome>((done) => (finish = done)),
    );
    await submit();
    goOffline();
    finish(DONE);
    await clock.pass(10_000);
    expect(said()).toEqual([]);
    goOnline();
    await clock.pass(200);
    expect(said()).toEqual(['ack']);
    await executor.close();
  });

  it('is said no more when the lease ends while there is no channel', async () => {
    const { submit, said, clock, goOffline, goOnline } = start(async () => DONE);
    goOffline();
    await submit();
    await clock.pass(31_000);
    goOnline();
    await clock.pass(600_000);
    expect(said()).toEqual([]);
  });
});
