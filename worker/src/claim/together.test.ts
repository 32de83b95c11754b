import { setImmediate as turn } from 'node:timers/promises';
import {
  type Orchestration,
  PrefectAnswerError,
  PrefectApiError,
  PrefectUnreachableError,
} from '@slipway/prefect/client';
import { describe, expect, it } from 'vitest';
import { proposeTogether } from './together.ts';

const accept: Orchestration = { status: 'ACCEPT', state: undefined };

/** Requests go one at a time, each when it is let go. */
function scene(
  answer: (runs: readonly string[]) => ReadonlyMap<string, Orchestration> | Error = (runs) =>
    new Map(runs.map((run) => [run, accept])),
) {
  const sent: { runs: readonly string[]; transitionId: string | undefined }[] = [];
  const waiting: { go: () => void; runs: () => number }[] = [];
  let lane = Promise.resolve();
  const propose = proposeTogether({
    async proposeOne(run, { transitionId }) {
      sent.push({ runs: [run], transitionId });
      return accept;
    },
    async proposeAll(runs, { transitionId }) {
      sent.push({ runs: [...runs], transitionId });
      const given = answer(runs);
      if (given instanceof Error) throw given;
      return given;
    },
    async inTurn(send, runs) {
      const before = lane;
      const { promise, resolve } = Promise.withResolvers<void>();
      lane = promise;
      await before;
      await new Promise<void>((go) => waiting.push({ go, runs }));
      try {
        return await send();
      } finally {
        resolve();
      }
    },
  });
  /** Lets the next request go. @returns for how many runs it was, by what its lane is told. */
  const next = async () => {
    await turn();
    const first = waiting.shift();
    first?.go();
    await turn();
    return first?.runs();
  };
  return { propose, sent, next };
}
const names = (count: number, prefix = 'r') => Array.from({ length: count }, (_, index) => `${prefix}${index}`);

describe('runs that are proposed together', () => {
  it('are the ones that wait for their turn, eight at most; the first of a burst goes alone', async () => {
    const { propose, sent, next } = scene();
    const all = names(12).map((run) => propose(run));
    expect([await next(), await next(), await next()]).toEqual([1, 8, 3]);
    expect(sent.map(({ runs }) => runs)).toEqual([['r0'], names(9).slice(1), names(12).slice(9)]);
    expect(await Promise.all(all.map(({ answer }) => answer))).toEqual(all.map(() => accept));
    const later = propose('later');
    await next();
    expect([await later.answer, sent.at(-1)?.runs]).toEqual([accept, ['later']]);
  });

  it('share one transition id, which each knows before it is sent', async () => {
    const { propose, sent, next } = scene();
    const all = names(5).map((run) => propose(run));
    const ids = all.map(({ transitionId }) => transitionId);
    expect(new Set(ids).size).toBe(2);
    await next();
    await next();
    expect(sent.map(({ transitionId }) => transitionId)).toEqual([ids[0], ids[1]]);
  });

  it('are not joined by one that comes when they have been sent', async () => {
    const { propose, sent, next } = scene();
    const all = names(3).map((run) => propose(run));
    await next();
    await next();
    const late = propose('late');
    await next();
    await Promise.all([...all, late].map(({ answer }) => answer));
    expect(sent.map(({ runs }) => runs)).toEqual([['r0'], ['r1', 'r2'], ['late']]);
  });

  it('have no answer where the server has no definite one', async () => {
    const { propose, next } = scene(() => new Map([['r1', accept]]));
    const [first, ...rest] = names(3).map((run) => propose(run));
    await next();
    await next();
    expect(await first?.answer).toEqual(accept);
    expect(await Promise.all(rest.map(({ answer }) => answer))).toEqual([accept, undefined]);
  });

  it('fail together when the request fails in passing', async () => {
    const { propose, next } = scene(() => new PrefectUnreachableError('http://api', 1, new Error('reset')));
    const [, ...rest] = names(3).map((run) => propose(run));
    await next();
    const settled = Promise.allSettled(rest.map(({ answer }) => answer));
    await next();
    expect((await settled).map(({ status }) => status)).toEqual(['rejected', 'rejected']);
  });

  it.each([
    ['does not know the request', new PrefectApiError(404, 'POST', '/flow_runs/bulk_set_state', 'Not Found')],
    ['does not allow it', new PrefectApiError(403, 'POST', '/flow_runs/bulk_set_state', 'Forbidden')],
    ['answers something else', new PrefectAnswerError('unknown form')],
  ])('are asked for alone from then on when the server %s', async (_about, error) => {
    const { propose, sent, next } = scene(() => error);
    const [, ...rest] = names(3).map((run) => propose(run));
    await next();
    await next();
    expect(await Promise.all(rest.map(({ answer }) => answer))).toEqual([undefined, undefined]);
    const alone = names(3, 'later').map((run) => propose(run));
    for (const _ of alone) await next();
    expect(await Promise.all(alone.map(({ answer }) => answer))).toEqual([accept, accept, accept]);
    expect(sent.slice(2).map(({ runs }) => runs)).toEqual([['later0'], ['later1'], ['later2']]);
  });
});
