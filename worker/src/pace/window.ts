/**
 * How much may be under way towards one server, as its answers say: a window that grows by one for every windowful of good
 * answers and shrinks by a factor at an answer that says "too much" (additive increase, multiplicative decrease, as TCP
 * does). Pure; times in milliseconds.
 *
 * One trouble is met by all that was under way when it began. So only an answer to what was sent after the last cut cuts
 * again.
 */

/** What one answer says of the server's strength. */
export type Verdict =
  /** It was up to it. What it answered does not matter. */
  | 'good'
  /** It was, but took far longer than it takes as a rule. */
  | 'slow'
  /** It refused at once, in passing: two writers met (SQLite), something behind it is not there, a connection broke. */
  | 'busy'
  /** It asks for less. */
  | 'throttled'
  /** There was no answer in time. */
  | 'unanswered';

export interface Window {
  /** 1 to MOST; the fraction is what good answers have earned since the last whole step. */
  readonly size: number;
  readonly cutAt: number;
  readonly heardAt: number;
  /** What one thing takes as a rule: the quickest, creeping up towards what is usual now. */
  readonly usualMs: number | undefined;
  /** Nothing is sent before then: the server's Retry-After. */
  readonly pausedUntil: number;
}

export interface Answer {
  readonly verdict: Exclude<Verdict, 'slow'>;
  readonly sentAt: number;
  readonly answeredAt: number;
  /** How many things the server did for it, one after the other. */
  readonly things: number;
  /** From Retry-After; 0 when nothing was asked for. */
  readonly retryAfterMs: number;
  /** How much was under way: a window that is not used does not grow. */
  readonly used: number;
}

const FIRST = 32;
const MOST = 64;
/**
 * Busy and slow answers cut no deeper than this, which is one claim at a time. A SQLite server gives them at any pace but
 * the slowest, and the same write succeeds at the next try: nothing is won by going slower still.
 */
const SOFT_LEAST = 8;
const FACTOR: Readonly<Record<Exclude<Verdict, 'good'>, number>> = {
  slow: 0.7,
  busy: 0.85,
  throttled: 0.5,
  unanswered: 0.5,
};
/** Slow is so many times the usual, and never less than this long: a machine that is short of CPU is no overloaded server. */
const SLOW = { times: 10, leastMs: 2_000 };
/** How much of the way to the last answer's time the usual one goes. */
const CREEP = 0.01;
/** A window that heard nothing for so long knows nothing. */
const STALE_MS = 120_000;
/** A Retry-After is kept up to this: a server that says "tomorrow" is asked sooner. */
const LONGEST_PAUSE_MS = 300_000;

export const OPEN_WINDOW: Window = { size: FIRST, cutAt: 0, heardAt: 0, usualMs: undefined, pausedUntil: 0 };

/** The window after an answer, and the verdict it was cut for, if it was. */
export function follow(
  before: Window,
  answer: Answer,
): { readonly window: Window; readonly cut: Exclude<Verdict, 'good'> | undefined } {
  const { sentAt, answeredAt, things, retryAfterMs, used } = answer;
  const size = sizeAt(before, answeredAt);
  const tookMs = (answeredAt - sentAt) / things;
  const isSlow = before.usualMs !== undefined && tookMs > Math.max(SLOW.leastMs, SLOW.times * before.usualMs);
  const verdict = answer.verdict === 'good' && isSlow ? 'slow' : answer.verdict;
  const heard = {
    ...before,
    size,
    heardAt: answeredAt,
    usualMs: answer.verdict === 'good' ? usual(before.usualMs, tookMs) : before.usualMs,
    pausedUntil: Math.max(before.pausedUntil, answeredAt + Math.min(retryAfterMs, LONGEST_PAUSE_MS)),
  };
  if (verdict === 'good') {
    const grown = used * 2 < size ? size : Math.min(MOST, size + things / size);
    return { window: { ...heard, size: grown }, cut: undefined };
  }
  if (sentAt < before.cutAt) return { window: heard, cut: undefined };
  const least = verdict === 'busy' || verdict === 'slow' ? Math.min(size, SOFT_LEAST) : 1;
  return { window: { ...heard, size: Math.max(least, size * FACTOR[verdict]), cutAt: answeredAt }, cut: verdict };
}

/** How much may be under way now. A window that was cut and has heard nothing since is open again after two minutes. */
export function sizeAt({ size, heardAt }: Window, now: number): number {
  return now - heardAt > STALE_MS ? Math.max(size, FIRST) : size;
}

function usual(beforeMs: number | undefined, tookMs: number): number {
  if (beforeMs === undefined || tookMs < beforeMs) return tookMs;
  return beforeMs + CREEP * (tookMs - beforeMs);
}
