import { PrefectApiError, PrefectUnreachableError } from '@slipway/prefect/client';
import { expect, it } from 'vitest';
import { KubernetesApiError, KubernetesUnreachableError } from '../k8s/errors.ts';
import { type Heard, heardFromKubernetes, heardFromPrefect } from './verdict.ts';

const prefect = (status: number, retryAfterMs?: number) => new PrefectApiError(status, 'POST', '/x', '', retryAfterMs);
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
  ['nothing', new PrefectUnreachableError('http://p', 1, new Error('reset')), heard('unanswered')],
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
  ['nothing', new KubernetesUnreachableError('https://k', 'ECONNRESET', undefined), heard('unanswered')],
  ['something of our own', new Error('stopped'), undefined],
])('a Kubernetes API that answers %s', (_what, error, expected) => {
  expect(heardFromKubernetes(error)).toEqual(expected);
});
