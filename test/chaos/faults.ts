import type { Random } from '../fuzz/random.ts';

export type Side = 'prefect' | 'kubernetes';

/** What becomes of a request on its way. */
export type Fault =
  | { readonly kind: 'pass' }
  /** Answered without the server having been asked. */
  | { readonly kind: 'answer'; readonly status: number; readonly reason: string; readonly retryAfter?: number }
  /** The connection breaks, and the server has heard nothing. */
  | { readonly kind: 'reset' }
  /** The server has done what it was asked, and the connection breaks before anybody hears of it. */
  | { readonly kind: 'lost' }
  /** Held up before the server hears of it; a caller who leaves meanwhile has asked nothing. */
  | { readonly kind: 'stall'; readonly ms: number }
  /** Done at once, and answered late. */
  | { readonly kind: 'late'; readonly ms: number }
  /** Done at once, which `done` is told of, and answered when a test says so. */
  | { readonly kind: 'withheld'; readonly done: () => void; readonly until: Promise<unknown> }
  /** A watch that breaks in the middle after some time. */
  | { readonly kind: 'cut'; readonly ms: number };

export interface Asked {
  readonly side: Side;
  readonly method: string;
  /** With its query. */
  readonly url: string;
  readonly body: string;
}

const SERVER_ERRORS = [500, 502, 503, 504] as const;

/**
 * Draws what becomes of one request.
 *
 * @param rate how often something goes wrong, 0 to 1. Half of that are answers lost after the server has done the work:
 *   what lost and doubled submissions come from.
 */
export function drawFault(asked: Asked, rate: number, random: Random): Fault {
  if (isWatch(asked)) {
    if (random.chance(rate)) return { kind: 'answer', status: 410, reason: 'Expired' };
    return random.chance(0.5) ? { kind: 'cut', ms: 500 + random.below(10_000) } : { kind: 'pass' };
  }
  if (!random.chance(rate)) return { kind: 'pass' };
  if (random.chance(0.5)) return { kind: 'lost' };
  return random.pick<() => Fault>([
    () => ({ kind: 'reset' }),
    () => ({ kind: 'answer', status: 429, reason: 'TooManyRequests', retryAfter: 1 }),
    () => ({ kind: 'answer', status: random.pick(SERVER_ERRORS), reason: 'InternalError' }),
    () => ({ kind: 'stall', ms: 100 + random.below(6_000) }),
    () => ({ kind: 'late', ms: 100 + random.below(6_000) }),
    () => conflictOrExpiry(asked),
  ])();
}

/** The answers that the API server alone gives, each where it can. */
function conflictOrExpiry({ side, method }: Asked): Fault {
  if (side === 'prefect') return { kind: 'answer', status: 503, reason: 'InternalError', retryAfter: 1 };
  if (method === 'GET') return { kind: 'answer', status: 410, reason: 'Expired' };
  // A Job of that name was there and is gone when it is looked at; or two writers met at a counter.
  return { kind: 'answer', status: 409, reason: method === 'POST' ? 'AlreadyExists' : 'Conflict' };
}

export function isWatch({ side, url }: Asked): boolean {
  return side === 'kubernetes' && /[?&]watch=(1|true)\b/.test(url);
}

/** The body of an error answer as that server writes it. */
export function errorBody(side: Side, status: number, reason: string): string {
  const message = 'a fault of the test';
  if (side === 'prefect') return JSON.stringify({ exception_message: message });
  return JSON.stringify({ kind: 'Status', apiVersion: 'v1', status: 'Failure', code: status, reason, message });
}
