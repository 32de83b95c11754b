import type { PrefectSettings } from '../settings/index.ts';

/** What one try of a request came to, as far as trying again is concerned. */
export type Outcome =
  | {
      readonly kind: 'answer';
      readonly status: number;
      readonly retryAfter: string | null;
      readonly maintenance: boolean;
      readonly csrfRejected: boolean;
    }
  | { readonly kind: 'failure'; readonly code: string | undefined; readonly answeredBefore: boolean };

const RETRIED_STATUS = new Set([408, 429, 502, 503]);

/** Nobody listens or no such host: a wrong URL more often than a passing fault, so not tried again at first. */
const NOT_REACHED = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'ENETUNREACH',
  'EHOSTUNREACH',
  'UND_ERR_CONNECT_TIMEOUT',
]);
/** A certificate does not become valid by asking again. */
const NEVER = /^(ERR_TLS_|ERR_SSL_|CERT_|DEPTH_ZERO|SELF_SIGNED|UNABLE_TO_)/;

/**
 * Milliseconds to wait before the next try, or undefined when this outcome is final (contracts/deploy.md §6.9):
 * `Retry-After` is a floor that jitter only lengthens, otherwise 2, 4, 8 … seconds with jitter both ways; a server in
 * maintenance does not use up tries.
 *
 * @param attempt tries made so far, from 1.
 */
export function delayBeforeRetry(
  outcome: Outcome,
  attempt: number,
  policy: Pick<PrefectSettings, 'maxRetries' | 'retryJitterFactor' | 'retryExtraCodes'>,
  random: () => number,
  now: number,
): number | undefined {
  if (!isPassing(outcome, policy.retryExtraCodes)) return undefined;
  const counted = !(outcome.kind === 'answer' && outcome.maintenance);
  // A rejected token says nothing of the request: it is always sent once more, with a new one.
  const most = outcome.kind === 'answer' && outcome.csrfRejected ? Math.max(1, policy.maxRetries) : policy.maxRetries;
  if (counted && attempt > most) return undefined;
  if (outcome.kind === 'answer' && outcome.csrfRejected) return 0;
  const asked = outcome.kind === 'answer' ? retryAfterMs(outcome.retryAfter, now) : undefined;
  if (asked !== undefined) return asked * (1 + policy.retryJitterFactor * random());
  return 1000 * 2 ** Math.min(attempt, 6) * (1 + policy.retryJitterFactor * (2 * random() - 1));
}

function isPassing(outcome: Outcome, extraCodes: readonly number[]): boolean {
  if (outcome.kind === 'answer') {
    return RETRIED_STATUS.has(outcome.status) || extraCodes.includes(outcome.status) || outcome.csrfRejected;
  }
  if (outcome.code === undefined) return outcome.answeredBefore;
  if (NEVER.test(outcome.code)) return false;
  return outcome.answeredBefore || !NOT_REACHED.has(outcome.code);
}

/** `Retry-After` in milliseconds: seconds (fractions allowed) or an HTTP date; undefined when neither. */
export function retryAfterMs(header: string | null, now: number): number | undefined {
  if (header === null || header.trim() === '') return undefined;
  const seconds = Number(header);
  if (Number.isFinite(seconds)) return Math.max(0, seconds * 1000);
  const date = Date.parse(header);
  return Number.isNaN(date) ? undefined : Math.max(0, date - now);
}
