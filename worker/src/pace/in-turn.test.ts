import { setImmediate as turn } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import type { Clock } from '../world.ts';
import { inTurn } from './in-turn.ts';

/** A clock whose sleepers wake when they are told to. */
function stoppedClock() {
  let sleepers: (() => void)[] = [];
  const clock: Clock = {
    now: () => 0,
    sleep: () => new Promise((wake) => sleepers.push(wake)),
  };
  return {
    clock,
    async pass() {
      for (const wake of sleepers) wake();
      sleepers = [];
      await turn();
    },
  };
}

function scene(places: number) {
  const time = stoppedClock();
  const stop = new AbortController();
  const take = inTurn({
    places: () => places,
    pausedUntil: () => 0,
    patienceMs: 1_000,
    clock: time.clock,
    signal: stop.signal,
  });
  const sent: string[] = [];
  const answers = new Map<string, PromiseWithResolvers<string>>();
  const ask = (name: string) =>
    take(() => {
      sent.push(name);
      const answer = Promise.withResolvers<string>();
      answers.set(name, answer);
      return answer.promise;
    });
  return { ask, sent, stop, time, answer: (name: string) => answers.get(name) };
}

describe('requests in turn', () => {
  it('go in the order they come, the next one when one is answered', async () => {
    const { ask, sent, answer } = scene(2);
    const asked = ['a', 'b', 'c', 'd'].map(ask);
    await turn();
    answer('a')?.resolve('A');
    await turn();
    expect(sent).toEqual(['a', 'b', 'c']);
    answer('c')?.resolve('C');
    await turn();
    expect(sent).toEqual(['a', 'b', 'c', 'd']);
    expect(await asked[2]).toBe('C');
  });

  it('begin with one alone, in every burst, and become more as they are done', async () => {
    const { ask, sent, answer } = scene(3);
    for (const burst of ['first', 'second']) {
      const asked = [1, 2, 3, 4, 5, 6].map((index) => ask(`${burst} ${index}`));
      const counts: number[] = [];
      const before = sent.length;
      for (let index = 1; index <= 6; index += 1) {
        await turn();
        counts.push(sent.length - before);
        answer(`${burst} ${index}`)?.resolve('done');
      }
      await Promise.all(asked);
      await turn();
      expect(counts).toEqual([1, 3, 5, 6, 6, 6]);
    }
  });

  it('give up their place when they fail, and fail for who asked', async () => {
    const { ask, sent, answer } = scene(1);
    const first = ask('a');
    const second = ask('b');
    await turn();
    answer('a')?.reject(new Error('no'));
    await expect(first).rejects.toThrow('no');
    await turn();
    answer('b')?.resolve('B');
    expect(await second).toBe('B');
    expect(sent).toEqual(['a', 'b']);
  });

  it('that are not answered let the next one go after a while, and are waited for all the same', async () => {
    const { ask, sent, answer, time } = scene(1);
    const first = ask('a');
    void ask('b');
    await turn();
    expect(sent).toEqual(['a']);
    await time.pass();
    expect(sent).toEqual(['a', 'b']);
    answer('a')?.resolve('late');
    expect(await first).toBe('late');
  });

  it('are not sent any more when the worker has to stop', async () => {
    const { ask, sent, answer, stop } = scene(1);
    const first = ask('a');
    const second = ask('b');
    await turn();
    stop.abort(new Error('the grace is over'));
    answer('a')?.resolve('A');
    expect(await first).toBe('A');
    await expect(second).rejects.toThrow('the grace is over');
    expect(sent).toEqual(['a']);
  });
});
