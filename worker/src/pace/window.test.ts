import { describe, expect, it } from 'vitest';
import { type Answer, follow, OPEN_WINDOW, sizeAt, type Window } from './window.ts';

const open = (more: Partial<Window> = {}): Window => ({ ...OPEN_WINDOW, heardAt: 1_000, usualMs: 10, ...more });
const answer = (more: Partial<Answer> = {}): Answer => ({
  verdict: 'good',
  sentAt: 1_000,
  answeredAt: 1_010,
  things: 1,
  retryAfterMs: 0,
  used: 32,
  ...more,
});

/** Answers one after the other, each sent when the one before was there. */
function after(before: Window, count: number, more: Partial<Answer>): Window {
  let window = before;
  let now = Math.max(before.heardAt, before.cutAt);
  for (let index = 0; index < count; index += 1) {
    window = follow(window, answer({ ...more, sentAt: now, answeredAt: now + 10 })).window;
    now += 10;
  }
  return window;
}

describe('the window', () => {
  it('grows by about one for a windowful of good answers', () => {
    const { size } = after(open({ size: 10 }), 10, {});
    expect(size).toBeGreaterThan(10.9);
    expect(size).toBeLessThan(11.1);
  });

  it('counts an answer for eight as eight', () => {
    const eight = follow(open({ size: 10 }), answer({ things: 8, answeredAt: 1_080 })).window;
    expect(eight).toMatchObject({ size: 10.8, usualMs: 10.0 });
    const slow = answer({ things: 8, sentAt: 1_000, answeredAt: 17_500 });
    expect(follow(open(), slow).cut).toBe('slow');
    expect(follow(open(), { ...slow, answeredAt: 4_000 }).cut).toBeUndefined();
  });

  it('does not grow above its ceiling', () => {
    expect(after(open(), 10_000, { used: 64 }).size).toBe(64);
  });

  it('does not grow while less than half of it is used', () => {
    expect(after(open(), 100, { used: 15 }).size).toBe(32);
  });

  it.each<[Answer['verdict'], number]>([
    ['throttled', 16],
    ['unanswered', 16],
    ['busy', 32 * 0.85],
  ])('shrinks when an answer is %s', (verdict, size) => {
    const { window, cut } = follow(open(), answer({ verdict }));
    expect(window.size).toBe(size);
    expect(cut).toBe(verdict);
  });

  it.each<[string, number, number, number]>([
    ['ten times as long as usual, and two seconds', 500, 5_001, 0.7],
    ['ten times as long as usual, which is nothing', 10, 1_900, 1],
    ['long, as it always does', 4_000, 6_000, 1],
  ])('when an answer takes %s', (_what, usualMs, tookMs, factor) => {
    const { window } = follow(open({ usualMs }), answer({ sentAt: 1_000, answeredAt: 1_000 + tookMs, used: 0 }));
    expect(window.size).toBe(32 * factor);
  });

  it('learns that a server has become slower for good', () => {
    let window = open({ usualMs: 100 });
    const cuts: unknown[] = [];
    for (let now = 2_000, index = 0; index < 200; index += 1, now += 3_000) {
      const heard = follow(window, answer({ sentAt: now, answeredAt: now + 3_000 }));
      window = heard.window;
      if (heard.cut !== undefined) cuts.push(index);
    }
    expect(cuts.length).toBeGreaterThan(0);
    expect(cuts.at(-1)).toBeLessThan(20);
  });

  it('is cut once for one trouble, however many answers tell of it', () => {
    const first = follow(open(), answer({ verdict: 'throttled', sentAt: 1_000, answeredAt: 1_500 })).window;
    const second = follow(first, answer({ verdict: 'throttled', sentAt: 1_400, answeredAt: 1_600 }));
    expect(second.window.size).toBe(16);
    expect(second.cut).toBeUndefined();
    expect(follow(second.window, answer({ verdict: 'throttled', sentAt: 1_500, answeredAt: 1_700 })).window.size).toBe(
      8,
    );
  });

  it('is never below one', () => {
    expect(after(open(), 50, { verdict: 'throttled' }).size).toBe(1);
    expect(after(open(), 50, { verdict: 'unanswered' }).size).toBe(1);
  });

  it('is not strangled by a server whose writers meet, which says so in milliseconds', () => {
    expect(after(open(), 500, { verdict: 'busy' }).size).toBe(8);
    expect(after(open({ size: 3 }), 500, { verdict: 'busy' }).size).toBe(3);
  });

  it('is not strangled by a server that is slow now and then', () => {
    let window = open();
    for (let now = 2_000, index = 0; index < 100; index += 1, now += 3_000) {
      window = follow({ ...window, usualMs: 10 }, answer({ sentAt: now, answeredAt: now + 2_500 })).window;
    }
    expect(window.size).toBe(8);
  });

  it('opens again after a trouble, quickly from the bottom', () => {
    const small = after(open(), 20, { verdict: 'unanswered' });
    expect(after(small, 50, {}).size).toBeGreaterThan(9);
    expect(after(small, 600, {}).size).toBeGreaterThan(32);
  });

  it('keeps to a Retry-After, also one that tells of the same trouble', () => {
    const first = follow(open(), answer({ verdict: 'throttled', answeredAt: 1_500, retryAfterMs: 4_000 })).window;
    expect(first.pausedUntil).toBe(5_500);
    const same = answer({ verdict: 'throttled', sentAt: 1_200, answeredAt: 1_600, retryAfterMs: 9_000 });
    expect(follow(first, same).window.pausedUntil).toBe(10_600);
    expect(follow(first, answer({ answeredAt: 1_600 })).window.pausedUntil).toBe(5_500);
  });

  it('keeps to a Retry-After of five minutes at most', () => {
    const day = answer({ verdict: 'throttled', answeredAt: 1_500, retryAfterMs: 86_400_000 });
    expect(follow(open(), day).window.pausedUntil).toBe(301_500);
  });

  it('is open again when nothing was heard for two minutes', () => {
    const small = open({ size: 2, heardAt: 1_000 });
    expect(sizeAt(small, 121_000)).toBe(2);
    expect(sizeAt(small, 121_001)).toBe(32);
    expect(sizeAt(open({ size: 50, heardAt: 1_000 }), 200_000)).toBe(50);
  });
});
