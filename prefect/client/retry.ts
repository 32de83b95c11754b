import type { PrefectSettings } from '../settings/index.ts';
import { LONGEST_WAIT_MS } from '../settings/values.ts';

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

/** Tries made so far: all of them, and those that count, which tries during maintenance do not. */
export interface Tries {
  readonly made: number;
  readonly counted: number;
}

const RETRIED_STATUS = new Set([408, 429, 502, 503]);

/** Nobody listens or no such host: a wrong URL more often than a passing fault. */
const NOT_REACHED = new Set(['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN', 'ENETUNREACH', 'EHOSTUNREACH']);
/** When nothing was ever reached: three more tries at once, as httpx's own transport makes them. */
const FIRST_CONTACT_MS = [0, 500, 1000];
/**
 * A certificate does not become valid by asking again, nor does a proxy change its mind (UND_ERR_ABORTED is a tunnel
 * that it refused, UND_ERR_INVALID_ARG its 407).
 */
const NEVER =
  /^(ERR_TLS_|ERR_SSL_|CERT_|DEPTH_ZERO|SELF_SIGNED|UNABLE_TO_|UND_ERR_ABORTED|UND_ERR_INVALID_ARG|UND_ERR_PRX_TLS)/;
/** A server in maintenance that asks to be asked again at once would be asked without end. */
const MAINTENANCE_FLOOR_MS = 1000;

/**
 * Milliseconds to wait before the next try, or undefined when this outcome is final (contracts/deploy.md §6.9):
 * `Retry-After` is a floor that jitter only lengthens, otherwise 2, 4, 8 … 64 seconds with jitter both ways; a server in
 * maintenance does not use up tries.
 *
 * @param tries made so far, this one included.
 */
export function delayBeforeRetry(
  outcome: Outcome,
  tries: Tries,
  policy: Pick<PrefectSettings, 'maxRetries' | 'retryJitterFactor' | 'retryExtraCodes'>,
  random: () => number,
  now: number,
): number | undefined {
  if (outcome.kind === 'failure' && !outcome.answeredBefore && NOT_REACHED.has(outcome.code ?? '')) {
    return policy.maxRetries === 0 ? undefined : FIRST_CONTACT_MS[tries.made - 1];
  }
  if (!isPassing(outcome, policy.retryExtraCodes)) return undefined;
  const answer = outcome.kind === 'answer' ? outcome : undefined;
  // A rejected token says nothing of the request: it is always sent once more, with a new one.
  const most = answer?.csrfRejected ? Math.max(1, policy.maxRetries) : policy.maxRetries;
  if (!answer?.maintenance && tries.counted > most) return undefined;
  if (answer?.csrfRejected) return 0;
  const floor = answer?.maintenance ? MAINTENANCE_FLOOR_MS : 0;
  const asked = answer === undefined ? undefined : retryAfterMs(answer.retryAfter, now);
  const delayMs =
    asked === undefined
      ? 1000 * 2 ** Math.min(tries.made, 6) * (1 + policy.retryJitterFactor * (2 * random() - 1))
      : asked * (1 + policy.retryJitterFactor * random());
  return Math.min(LONGEST_WAIT_MS, Math.max(floor, delayMs));
}

function isPassing(outcome: Outcome, extraCodes: readonly number[]): boolean {
  if (outcome.kind === 'answer') {
    return RETRIED_STATUS.has(outcome.status) || extraCodes.includes(outcome.status) || outcome.csrfRejected;
  }
  return outcome.code === undefined ? outcome.answeredBefore : !NEVER.test(outcome.code);
}

/** `Retry-After` in milliseconds: seconds (fractions allowed) or an HTTP date; undefined when neither. */
export function retryAfterMs(header: string | null, now: number): number | undefined {
  const text = header?.trim() ?? '';
  if (/^[+-]?(\d+\.?\d*|\.\d+)$/.test(text)) return Math.min(LONGEST_WAIT_MS, Math.max(0, Number(text) * 1000));
  // Date.parse reads much that is no date ("try 5"): only what begins with a day of the week is one here.
  if (!/^(mon|tue|wed|thu|fri|sat|sun)/i.test(text)) return undefined;
  const date = Date.parse(/(gmt|utc|[+-]\d{4})$/i.test(text) ? text : `${text} GMT`);
  return Number.isNaN(date) ? undefined : Math.min(LONGEST_WAIT_MS, Math.max(0, date - now));
}
