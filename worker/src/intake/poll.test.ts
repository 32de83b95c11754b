import { describe, expect, it } from 'vitest';
import { askFor, jittered, nextPollAt, readAnswer, type Standing } from './poll.ts';

const NOW = Date.UTC(2026, 10, 24, 12);
const AHEAD = { prefetchMs: 10_000, pollIntervalMs: 10_000, lookAhead: true };

describe('a poll', () => {
  it.each([
    ['as many as there is room for, and those in hand, which may still be in the answer', { free: 3, inHand: 2 }, 5],
    ['no more than the server gives', { free: 300, inHand: 0 }, 200],
    ['nothing where there is no room', { free: 0, inHand: 32 }, 0],
  ])('asks for %s', (_title, room, limit) => {
    expect(askFor(NOW, room, AHEAD).limit).toBe(limit);
  });

  it.each([
    [{ prefetchMs: 10_000, pollIntervalMs: 10_000, lookAhead: true }, 23_500],
    [{ prefetchMs: 0, pollIntervalMs: 10_000, lookAhead: true }, 13_500],
    [{ prefetchMs: 10_000, pollIntervalMs: 10_000, lookAhead: false }, 10_000],
  ])('with %j looks %i ms ahead', (options, ms) => {
    expect(askFor(NOW, { free: 1, inHand: 0 }, options).lookUntil - NOW).toBe(ms);
  });
});

interface Answered {
  readonly free?: number;
  readonly inHand?: readonly string[];
  readonly lookAhead?: boolean;
}

/** @param runs by id, how many milliseconds from now each is due. */
function read(runs: Readonly<Record<string, number>>, { free = 3, inHand = [], lookAhead = true }: Answered = {}) {
  const found = Object.entries(runs).map(([id, ms]) => ({
    work_pool_id: 'p',
    work_queue_id: 'q',
    flow_run: {
      id,
      name: id,
      flow_id: 'f',
      tags: [],
      parameters: {},
      run_count: 0,
      total_run_time: 0,
      next_scheduled_start_time: new Date(NOW + ms).toISOString().replace('Z', '000Z'),
    },
  }));
  const question = askFor(NOW, { free, inHand: inHand.length }, { ...AHEAD, lookAhead });
  const { start, nextStart, rest } = readAnswer(question, found, (id) => inHand.includes(id));
  return {
    start: start.map(({ id }): string => id),
    next: nextStart === undefined ? undefined : nextStart - NOW,
    rest,
  };
}

describe('the answer to a poll', () => {
  it.each<[string, Parameters<typeof read>, ReturnType<typeof read>]>([
    ['nothing', [{}], { start: [], next: undefined, rest: 'none' }],
    [
      'what is due within the prefetch, in order',
      [{ b: 9_000, a: -5 }],
      { start: ['b', 'a'], next: undefined, rest: 'none' },
    ],
    [
      'the moment of the next one',
      [{ a: 0, c: 15_000, b: 12_000 }, { free: 9 }],
      { start: ['a'], next: 2_000, rest: 'none' },
    ],
    ['not what is in hand', [{ a: 0, b: 0 }, { inHand: ['a'] }], { start: ['b'], next: undefined, rest: 'none' }],
    [
      'as much as was asked for: more',
      [{ a: 0, b: 0 }, { free: 2 }],
      { start: ['a', 'b'], next: undefined, rest: 'more' },
    ],
    [
      'more than there is room for',
      [
        { a: 0, b: 0, c: 0 },
        { free: 1, inHand: ['x', 'y', 'z'] },
      ],
      { start: ['a'], next: undefined, rest: 'more' },
    ],
    [
      'nothing but what is in hand: no more',
      [
        { a: 0, b: 0 },
        { free: 0, inHand: ['a', 'b'], lookAhead: false },
      ],
      { start: [], next: undefined, rest: 'more' },
    ],
    [
      'as much as was asked for, with runs of later: something may be hidden',
      [{ a: 0, b: 12_000 }, { free: 2 }],
      { start: ['a'], next: 2_000, rest: 'hidden' },
    ],
  ])('%s', (_title, args, expected) => {
    expect(read(...args)).toEqual(expected);
  });

  it('starts a run whose time cannot be read', () => {
    const question = askFor(NOW, { free: 1, inHand: 0 }, AHEAD);
    const flow_run = { id: 'a', name: 'a', flow_id: 'f', tags: [], parameters: {}, run_count: 0, total_run_time: 0 };
    const { start } = readAnswer(question, [{ work_pool_id: 'p', work_queue_id: 'q', flow_run }], () => false);
    expect(start).toMatchObject([{ id: 'a', polledAt: NOW }]);
  });
});

describe('the next poll', () => {
  const quiet: Standing = {
    lastPollAt: NOW,
    intervalMs: 9_000,
    nextStart: undefined,
    hintedAt: undefined,
    more: false,
    free: 32,
    inHand: 0,
  };
  it.each<[string, Partial<Standing>, number]>([
    ['comes after the interval', {}, 9_000],
    ['comes when the next run has to start', { nextStart: NOW + 3_000 }, 3_000],
    ['comes not later for it than the interval says', { nextStart: NOW + 12_000 }, 9_000],
    ['takes runs together whose moments are near', { nextStart: NOW + 20 }, 500],
    ['comes for a hint', { hintedAt: NOW + 700, nextStart: NOW + 3_000 }, 700],
    ['comes at once when more is due and half the places are free', { more: true, free: 16, inHand: 16 }, 0],
    ['comes a little later when more is due and fewer are free', { more: true, free: 1, inHand: 31 }, 2_000],
    [
      'comes only to be seen while there is no room',
      { more: true, free: 0, inHand: 32, nextStart: NOW + 1, hintedAt: NOW + 1 },
      9_000,
    ],
    ['comes no later than an interval that is shorter than the gap', { intervalMs: 50, nextStart: NOW + 10 }, 50],
  ])('%s', (_title, standing, ms) => {
    expect(nextPollAt({ ...quiet, ...standing }) - NOW).toBe(ms);
  });

  it.each([
    [0, 7_500],
    [0.5, 10_000],
    [1, 12_500],
  ])('with chance %f, an interval of ten seconds is %i ms', (chance, ms) => {
    expect(jittered(10_000, chance)).toBe(ms);
  });
});
