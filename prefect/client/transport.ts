/**
 * One way to the Prefect API: headers, CSRF, retries, a deadline a try.
 *
 * Failure model. Every request may be answered late, twice or not at all; the server may be starting, overloaded
 * (SQLite servers answer 503 when two writers meet), in maintenance, or behind a proxy that resets idle connections.
 * A try that failed in passing is made again with the very same body, so callers give whatever makes a repeat harmless
 * (a transition id, an idempotency key, an upsert). What does not pass is thrown as PrefectApiError (the server's
 * answer) or PrefectUnreachableError (no answer). The pool of connections is opened here and closed by close().
 */
import { request } from 'undici';
import type { PrefectSettings } from '../settings/index.ts';
import { masked } from '../settings/masked.ts';
import { CsrfTokens } from './csrf.ts';
import { openDispatcher } from './dispatcher.ts';
import { codeOf, detailOf, PrefectAnswerError, PrefectApiError, PrefectUnreachableError } from './errors.ts';
import { PlainResponse } from './plain-messages.ts';
import { redirectTarget } from './redirect.ts';
import { delayBeforeRetry, type Outcome, retryAfterMs, type Tries } from './retry.ts';

/** The version of the API this client speaks, and the Prefect whose behaviour it follows (§6.7, worker.md §1.4). */
const API_VERSION = '0.8.4';
const PREFECT_VERSION = '3.8.8';

const MOST_REDIRECTS = 5;
const NO_TOKEN = { kind: 'headers', headers: {} } as const;

/** @param product who speaks, e.g. `slipway-worker/0.1.0`; servers read Prefect's version before it (§6.7). */
export function userAgent(product: string): string {
  return `prefect/${PREFECT_VERSION} (API ${API_VERSION}) ${product}`;
}

export interface TransportWorld {
  readonly clock: { now(): number; sleep(ms: number, signal: AbortSignal): Promise<void> };
  readonly random: () => number;
  readonly log: { debug(text: string): void; warning(text: string): void };
  /** Appended to the User-Agent, e.g. `slipway-worker/0.1.0`. */
  readonly product: string;
  /** More headers for every request, e.g. the worker's attribution. */
  readonly headers?: Readonly<Record<string, string>>;
}

export interface Transport {
  /**
   * Sends one request, tried again as the settings say; resolves with a 2xx answer or throws.
   *
   * @param options `maxRetries`, for a caller that has to look again before each repeat.
   */
  send(input: Request, options?: { readonly maxRetries: number }): Promise<Response>;
  /** Requests sent so far, retries included. */
  readonly requests: number;
  close(): Promise<void>;
}

interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: string;
}

/**
 * Opens the connection pool for one Prefect API.
 *
 * @throws SettingsError when the CA file cannot be read or holds no certificate.
 */
export function openTransport(settings: PrefectSettings, world: TransportWorld): Transport {
  const dispatcher = openDispatcher(settings);
  const headers: Readonly<Record<string, string>> = {
    'user-agent': userAgent(world.product),
    'x-prefect-api-version': API_VERSION,
    ...(settings.authorization === undefined ? {} : { authorization: settings.authorization }),
    ...world.headers,
    ...settings.customHeaders,
  };
  let requests = 0;
  let answeredBefore = false;

  async function once(
    method: string,
    url: string,
    extra: Record<string, string>,
    body: string | undefined,
    signal: AbortSignal,
  ): Promise<Answer> {
    const deadline = AbortSignal.any([signal, AbortSignal.timeout(settings.requestTimeoutMs)]);
    let address = url;
    for (let hops = 0; ; hops += 1) {
      requests += 1;
      const answer = await request(address, {
        method: method as 'GET',
        headers: { ...headers, ...extra },
        body: body ?? null,
        dispatcher,
        signal: deadline,
      });
      const text = await answer.body.text();
      answeredBefore = true;
      const whole = { status: answer.statusCode, headers: answer.headers, body: text };
      const target = redirectTarget(method, address, whole.status, header(whole, 'location'));
      if (target.kind === 'none') return whole;
      if (target.kind === 'refuse') return { ...whole, body: target.detail };
      if (hops === MOST_REDIRECTS) return { ...whole, body: 'redirected without end' };
      address = target.url;
    }
  }

  const csrf = new CsrfTokens<Answer>(
    settings.csrfSupport && !settings.cloud,
    settings.apiUrl,
    world.clock,
    (url, signal) => once('GET', url, {}, undefined, signal),
  );

  async function send(input: Request, options?: { readonly maxRetries: number }): Promise<Response> {
    const policy = { ...settings, ...options };
    const method = input.method;
    const path = input.url.slice(settings.apiUrl.length).replace(/\?.*$/, '');
    const body = method === 'GET' || method === 'DELETE' ? undefined : await input.text();
    const contentType = input.headers.get('content-type');
    const signal = input.signal;
    let tries: Tries = { made: 0, counted: 0 };
    for (;;) {
      let outcome: Outcome;
      let failure: unknown;
      let answer: Answer | undefined;
      try {
        const token = method === 'GET' ? NO_TOKEN : await csrf.headers(signal);
        if (token.kind === 'refused') answer = token.answer;
        else {
          const extra = { ...(contentType === null ? {} : { 'content-type': contentType }), ...token.headers };
          answer = await once(method, input.url, extra, body, signal);
        }
        if (answer.status >= 200 && answer.status < 300) return toResponse(answer);
        outcome = {
          kind: 'answer',
          status: answer.status,
          retryAfter: header(answer, 'retry-after'),
          maintenance: header(answer, 'prefect-maintenance') === 'true',
          csrfRejected: answer.status === 403 && answer.body.includes('Invalid CSRF token'),
        };
        if (outcome.csrfRejected) csrf.forget();
      } catch (error) {
        if (signal.aborted) throw signal.reason;
        if (error instanceof PrefectAnswerError) throw error;
        failure = error;
        outcome = { kind: 'failure', code: codeOf(error), answeredBefore };
      }
      const uncounted = outcome.kind === 'answer' && outcome.maintenance;
      tries = { made: tries.made + 1, counted: tries.counted + (uncounted ? 0 : 1) };
      const delayMs = delayBeforeRetry(outcome, tries, policy, world.random, world.clock.now());
      if (delayMs === undefined) {
        if (answer === undefined) {
          const proxy = settings.proxy === undefined ? undefined : new URL(settings.proxy).origin;
          throw new PrefectUnreachableError(settings.apiUrl, tries.made, failure, proxy);
        }
        const afterMs = retryAfterMs(header(answer, 'retry-after'), world.clock.now());
        throw new PrefectApiError(answer.status, method, path, redacted(detailOf(answer.body)), afterMs);
      }
      const what = outcome.kind === 'answer' ? String(outcome.status) : (outcome.code ?? 'no answer');
      const line = `Prefect API: ${method} ${path}: ${what}; trying again in ${(delayMs / 1000).toFixed(1)} s`;
      if (delayMs >= 8000) world.log.warning(line);
      else world.log.debug(line);
      await world.clock.sleep(delayMs, signal);
    }
  }

  /** A server, or a proxy before it, may answer with the request and its headers. */
  function redacted(detail: string): string {
    return masked(detail, settings.secrets);
  }

  return {
    send,
    get requests() {
      return requests;
    },
    close: () => dispatcher.destroy(),
  };
}

function header(answer: Answer, name: string): string | null {
  const value = answer.headers[name];
  return (Array.isArray(value) ? value[0] : value) ?? null;
}

function toResponse(answer: Answer): Response {
  return new PlainResponse(answer.body, {
    status: answer.status,
    headers: {
      'content-type': header(answer, 'content-type') ?? 'application/json',
      date: header(answer, 'date') ?? '',
    },
  });
}
