import { describe, expect, it } from 'vitest';
import { testWorld } from '../testing/world.ts';
import { ServedQueues } from './served-queues.ts';

const { signal } = new AbortController();

/** @param answers the pool's queues at each reading, or that they cannot be read. */
function scene(wanted: readonly string[], ...answers: (readonly string[] | 'down')[]) {
  const world = testWorld();
  let reads = 0;
  const queues = new ServedQueues({
    wanted,
    readQueues: async () => {
      const answer = answers[Math.min(reads, answers.length - 1)] ?? [];
      reads += 1;
      if (answer === 'down') throw new Error('the server is down');
      return answer.map((name) => ({ name }));
    },
    world,
  });
  return { queues, world, reads: () => reads };
}

describe('the queues to poll', () => {
  it.each<[readonly string[], readonly string[], readonly string[] | 'nothing']>([
    [[], ['a', 'b'], []],
    [
      ['b', 'gone'],
      ['a', 'b'],
      ['b', 'gone'],
    ],
    [['high-*'], ['high-1', 'high-2', 'low', 'very-high-1'], ['high-1', 'high-2']],
    [
      ['*-1', 'low'],
      ['high-1', 'low', 'low-1'],
      ['high-1', 'low', 'low-1'],
    ],
    [['*'], ['a', 'b'], ['a', 'b']],
    [
      ['a.*', 'a+b*'],
      ['a.b', 'aab', 'a+bc', 'aabc'],
      ['a+bc', 'a.b'],
    ],
    [['a*b*c'], ['abc', 'a-b-c', 'acb', 'abcb', 'ab'], ['a-b-c', 'abc']],
    [['ab*ba'], ['aba', 'abba'], ['abba']],
    [['h*h'], ['h', 'hh', 'high\nh'], ['hh', 'high\nh']],
    [['high-*'], ['low'], 'nothing'],
    [['high-*', 'low'], ['default'], ['low']],
  ])('of %j, where there are %j, are %j', async (wanted, there, expected) => {
    expect(await scene(wanted, there).queues.toPoll(signal)).toEqual(expected);
  });

  it.each([
    [[], 'any', true],
    [['a'], 'a', true],
    [['a'], 'b', false],
    [['a', 'b-*'], 'b-1', true],
    [['a', 'b-*'], 'c', false],
  ])('of %j: a run of queue %s is taken: %s', (wanted, name, expected) => {
    expect(scene(wanted).queues.serves(name)).toBe(expected);
  });

  it('are not read where all of them have names', async () => {
    const { queues, reads } = scene(['a', 'b']);
    await queues.toPoll(signal);
    expect(queues.missing()).toBe(false);
    expect(reads()).toBe(0);
  });

  it('are read once a minute for patterns, and said when they have changed', async () => {
    const { queues, reads, world } = scene(['high-*'], [], ['high-1'], ['high-1']);
    for (let times = 0; times < 5; times += 1) {
      await queues.toPoll(signal);
      world.pass(30_000);
    }
    expect(reads()).toBe(3);
    expect(world.logged.map(({ text }) => text)).toEqual([
      'Work queues that match high-*: no queue; it is looked again every minute',
      'Work queues that match high-*: high-1',
    ]);
  });

  it('are looked up anew when one of them is not there any more', async () => {
    const { queues } = scene(['high-*'], ['high-1', 'high-2'], ['high-2']);
    expect(await queues.toPoll(signal)).toEqual(['high-1', 'high-2']);
    expect(queues.missing()).toBe(true);
    expect(await queues.toPoll(signal)).toEqual(['high-2']);
  });

  it('stay those that were read last while they cannot be read, and cannot be told before', async () => {
    const { queues, world } = scene(['high-*'], 'down', ['high-1'], 'down');
    await expect(queues.toPoll(signal)).rejects.toThrow('the server is down');
    expect(await queues.toPoll(signal)).toEqual(['high-1']);
    world.pass(60_000);
    expect(await queues.toPoll(signal)).toEqual(['high-1']);
  });
});
