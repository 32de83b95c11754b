import { PrefectApiError, PrefectUnreachableError } from '@slipway/prefect/client';
import { expect, it } from 'vitest';
import { KubernetesApiError, KubernetesUnreachableError } from '../k8s/errors.ts';
import { type Heard, heardFromKubernetes, heardFromPrefect } from './verdict.ts';

const prefect = (status: number, retryAfterMs?: number) => new PrefectApiError(status, 'POST', '/x', '', retryAfterMs);
const unreachable = (code: string) =>
  new PrefectUnreachableError('http://p', 1, Object.assign(new Error(code), { code }));
/** What AbortSignal.timeout gives. */
const late = new DOMException('The operation was aborted due to timeout', 'TimeoutError');
const kubernetes = (status: number, retryAfter?: string) => new KubernetesApiError('POST /x', status, '{}', retryAfter);
const heard = (verdict: Heard['verdict'], retryAfterMs = 0): Heard => ({ verdict, retryAfterMs });

it.each<[string, unknown, Heard | undefined]>([
  ['404', prefect(404), heard('good')],
  ['409', prefect(409), heard('good')],
  ['408', prefect(408), heard('unanswered')],
  ['429', prefect(429), heard('throttled')],
  ['429 and when', prefect(429, 3_000), heard('throttled', 3_000)],
  ['503, as SQLite does', prefect(503), heard('busy')],
  ['503 and when', prefect(503, 1_000), heard('throttled', 1_000)],
  ['500', prefect(500), heard('busy')],
  ['504', prefect(504), heard('unanswered')],
  ['nothing in time', unreachable('UND_ERR_HEADERS_TIMEOUT'), heard('unanswered')],
  ['nothing before the deadline', new PrefectUnreachableError('http://p', 1, late), heard('unanswered')],
  ['nothing, and breaks the connection', unreachable('UND_ERR_SOCKET'), heard('busy')],
  ['nothing, as it is not there', unreachable('ECONNREFUSED'), heard('busy')],
  ['something of our own', new Error('stopped'), undefined],
])('a Prefect API that answers %s', (_what, error, expected) => {
  expect(heardFromPrefect(error)).toEqual(expected);
});

it.each<[string, unknown, Heard | undefined]>([
  ['409', kubernetes(409), heard('good')],
  ['422', kubernetes(422), heard('good')],
  ['429', kubernetes(429, '1'), heard('throttled', 1_000)],
  ['503', kubernetes(503), heard('throttled')],
  ['500', kubernetes(500), heard('busy')],
  ['504', kubernetes(504), heard('unanswered')],
  ['nothing in time', new KubernetesUnreachableError('https://k', 'no answer in time', undefined), heard('unanswered')],
  [
    'nothing, and breaks the connection',
    new KubernetesUnreachableError('https://k', 'ECONNRESET', undefined),
    heard('busy'),
  ],
  ['something of our own', new Error('stopped'), undefined],
])('a Kubernetes API that answers %s', (_what, error, expected) => {
  expect(heardFromKubernetes(error)).toEqual(expected);
});
