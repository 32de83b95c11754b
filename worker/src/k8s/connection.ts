/**
 * One way to the Kubernetes API: kept-alive connections, fresh credentials, a deadline on every call.
 *
 * Failure model. A call is made once: whether it may be made again depends on what it does, so its caller decides. An
 * answer that is no success becomes KubernetesApiError, no answer KubernetesUnreachableError, which says whether the
 * request can have arrived. Watches have connections of their own, so that a large list does not hold up a create.
 * Credentials are read again once a minute and after a 401; when certificates change, new connections replace the old
 * ones, which end when their calls do. Everything opened here is closed by close().
 */
import { codeOf } from '@slipway/prefect/client';
import { Agent, type Dispatcher, request } from 'undici';
import type { ClusterAccess, Credentials } from './access.ts';
import { KubernetesApiError, KubernetesUnreachableError } from './errors.ts';

export interface Call {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** Begins with a slash, e.g. `/apis/batch/v1/namespaces/default/jobs`. */
  readonly path: string;
  readonly query?: Readonly<Record<string, string | undefined>>;
  /** JSON text. */
  readonly body?: string;
  readonly signal: AbortSignal;
}

/** An answer whose body is still coming. */
export interface OpenAnswer {
  readonly body: AsyncIterable<Buffer>;
  /** Ends the answer without reading the rest. */
  end(): void;
}

export interface KubernetesConnection {
  readonly server: string;
  readonly namespace: string;
  /** Calls sent so far, watches included. */
  readonly requests: number;
  /** The Date header of the last answer. */
  readonly answeredAt: string | undefined;
  /** Makes a call and reads its whole answer. */
  call(call: Call): Promise<string>;
  /** Opens a watch; resolves when its headers are there. */
  open(call: Call): Promise<OpenAnswer>;
  close(): Promise<void>;
}

export interface ConnectionOptions {
  readonly clock: { now(): number };
  readonly userAgent: string;
  readonly deadlineMs?: number;
}

/** A strategic merge adds to a list of owners where a plain one would replace it. */
const CONTENT_TYPES: Readonly<Record<string, string>> = { PATCH: 'application/strategic-merge-patch+json' };
/** The API server closes a connection that nobody has used for 90 seconds; a new one costs both sides a handshake. */
const IDLE_MS = 60_000;
const CREDENTIALS_LIVE_MS = 60_000;
const DEADLINE_MS = 30_000;

/** Prepares a connection; nothing is sent before the first call. The caller closes it. */
export function openConnection(access: ClusterAccess, options: ConnectionOptions): KubernetesConnection {
  let current: { readonly credentials: Credentials; readonly readAt: number } | undefined;
  let dispatchers: { readonly tls: string; readonly calls: Agent; readonly watches: Agent } | undefined;
  const old = new Set<Promise<void>>();
  let requests = 0;
  let answeredAt: string | undefined;

  async function credentials(): Promise<Credentials> {
    if (current === undefined || options.clock.now() - current.readAt > CREDENTIALS_LIVE_MS) {
      current = { credentials: await access.credentials(), readAt: options.clock.now() };
    }
    return current.credentials;
  }

  function dispatchersFor({ tls }: Credentials) {
    const identity = JSON.stringify(tls);
    if (dispatchers?.tls === identity) return dispatchers;
    if (dispatchers !== undefined) retire(dispatchers.calls, dispatchers.watches);
    const connect = { ...tls, keepAlive: true, keepAliveInitialDelay: 30_000 };
    // Over HTTP/2, undici 8.12 leaves a stream without a listener when its request is aborted in the moment it is sent;
    // whatever ends that connection later, the API server's restart for one, then ends the process.
    const common = { connect, allowH2: false };
    dispatchers = {
      tls: identity,
      calls: new Agent({ ...common, connections: 16, keepAliveTimeout: IDLE_MS }),
      // A watch may be silent for minutes; its reader has a timer of its own.
      watches: new Agent({ ...common, bodyTimeout: 0, headersTimeout: 60_000 }),
    };
    return dispatchers;
  }

  function retire(...agents: Agent[]): void {
    for (const agent of agents) {
      const closing = agent.close().catch(() => undefined);
      old.add(closing);
      closing.finally(() => old.delete(closing)).catch(() => undefined);
    }
  }

  async function send(call: Call, kind: 'calls' | 'watches', signal: AbortSignal): Promise<Dispatcher.ResponseData> {
    const identity = await credentials();
    const url = new URL(access.server + call.path);
    for (const [name, value] of Object.entries(call.query ?? {})) {
      if (value !== undefined) url.searchParams.set(name, value);
    }
    requests += 1;
    try {
      const answer = await request(url, {
        method: call.method,
        headers: {
          ...identity.headers,
          accept: 'application/json',
          'user-agent': options.userAgent,
          ...(call.body === undefined ? {} : { 'content-type': CONTENT_TYPES[call.method] ?? 'application/json' }),
        },
        body: call.body ?? null,
        dispatcher: dispatchersFor(identity)[kind],
        signal,
      });
      const { date } = answer.headers;
      answeredAt = Array.isArray(date) ? date[0] : date;
      return answer;
    } catch (error) {
      throw unreachable(call, error);
    }
  }

  function unreachable(call: Call, error: unknown): unknown {
    if (call.signal.aborted) return call.signal.reason;
    const late = error instanceof Error && error.name === 'TimeoutError';
    return new KubernetesUnreachableError(access.server, late ? 'no answer in time' : codeOf(error), error);
  }

  async function text(call: Call, answer: Dispatcher.ResponseData): Promise<string> {
    try {
      return await answer.body.text();
    } catch (error) {
      throw unreachable(call, error);
    }
  }

  function refusal(call: Call, answer: Dispatcher.ResponseData, body: string): KubernetesApiError {
    if (answer.statusCode === 401) current = undefined;
    const retryAfter = answer.headers['retry-after'];
    const first = Array.isArray(retryAfter) ? retryAfter[0] : retryAfter;
    return new KubernetesApiError(`${call.method} ${call.path}`, answer.statusCode, body, first);
  }

  return {
    server: access.server,
    namespace: access.namespace,
    get requests() {
      return requests;
    },
    get answeredAt() {
      return answeredAt;
    },
    async call(call) {
      const deadline = AbortSignal.any([call.signal, AbortSignal.timeout(options.deadlineMs ?? DEADLINE_MS)]);
      const answer = await send(call, 'calls', deadline);
      const body = await text(call, answer);
      if (answer.statusCode >= 200 && answer.statusCode < 300) return body;
      throw refusal(call, answer, body);
    },
    async open(call) {
      const answer = await send(call, 'watches', call.signal);
      if (answer.statusCode !== 200) throw refusal(call, answer, await text(call, answer));
      return { body: answer.body, end: () => answer.body.destroy() };
    },
    async close() {
      await Promise.all([dispatchers?.calls.destroy(), dispatchers?.watches.destroy(), ...old]);
    },
  };
}
