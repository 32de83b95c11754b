/**
 * A WebSocket to the Prefect API, by the same way as its HTTP requests: certificates, proxy, headers of one's own.
 *
 * Failure model. The API may be unreachable, may not know the endpoint, may refuse the credentials, may close at any
 * time, and a connection may die without a word, which only a ping shows. Each of these is one SocketEnd. Who reads
 * slowly holds the server back instead of filling memory. Nothing is opened again here: when and whether is the
 * caller's decision. Whoever opens a socket closes it; aborting its signal does so too.
 */
import { HttpsProxyAgent } from 'https-proxy-agent';
import { type RawData, WebSocket } from 'ws';
import * as z from 'zod';
import { CONNECT_MS, certificateAuthorities } from '../client/dispatcher.ts';
import { codeOf } from '../client/errors.ts';
import { redirectTarget } from '../client/redirect.ts';
import { userAgent } from '../client/transport.ts';
import type { PrefectSettings } from '../settings/index.ts';
import { masked } from '../settings/masked.ts';
import { type SocketEnd, SocketEndedError } from './socket-end.ts';

export interface SocketOptions {
  readonly settings: PrefectSettings;
  /** Below the API's URL, e.g. `/events/out`. */
  readonly path: string;
  /** Who speaks, as for the HTTP client: `slipway-worker/0.1.0`. */
  readonly product: string;
  /** Ends the socket, while it is opened and later. */
  readonly signal: AbortSignal;
  /** How often a silent server is asked whether it lives, and how long its answer may take. */
  readonly pingMs?: number;
}

/** An open socket whose credentials were taken. */
export interface PrefectSocket {
  /** Resolves when the text is on its way. @throws SocketEndedError when the socket has ended. */
  send(text: string): Promise<void>;
  /**
   * The next message, in order; one call at a time.
   *
   * @param signal gives up this wait alone; the message then goes to the next call.
   * @throws SocketEndedError when all that came has been given and no more will come; the signal's reason.
   */
  receive(signal?: AbortSignal): Promise<string>;
  /** Says goodbye and waits for the answer, half a second at most. */
  close(): Promise<void>;
}

const SUBPROTOCOL = 'prefect';
/** As Prefect's client asks. */
const PING_MS = 20_000;
const GOODBYE_MS = 500;
/** Messages that wait for their reader; at the first number the server is held back, at the second it goes on. */
const WAITING = { most: 256, few: 64 };
/** A template of many megabytes is a mistake; without a bound one frame could take all memory. */
const LONGEST_MESSAGE = 16 * 1024 * 1024;
const MOST_REDIRECTS = 5;
/** What the handshake says by itself; Prefect's client leaves these out of the custom headers too. */
const HANDSHAKE_HEADER = /^(host|connection|upgrade|sec-websocket-.*)$/;
const LONGEST_REASON = 200;

const AuthAnswer = z.strictObject({ type: z.literal('auth_success') });
const Denial = z.looseObject({ reason: z.string() });

/**
 * Opens a socket and presents the credentials in its first message, as Prefect's sockets want it.
 *
 * @throws SocketEndedError with what came instead; the signal's reason when it is aborted; SettingsError when the CA
 * file cannot be read.
 */
export async function openPrefectSocket(options: SocketOptions): Promise<PrefectSocket> {
  const { settings, path, signal } = options;
  signal.throwIfAborted();
  const timeout = AbortSignal.timeout(Math.min(CONNECT_MS, settings.requestTimeoutMs));
  let address = `${settings.apiUrl}${path}`;
  for (let hops = 0; ; hops += 1) {
    const socket = new Connection(address, options);
    try {
      const answer = await socket.opened(timeout);
      if (answer.kind === 'open') {
        await authenticate(socket, options, timeout);
        return socket;
      }
      socket.end();
      const target = redirectTarget('GET', address, answer.status, answer.location);
      const followed = target.kind === 'follow' && hops < MOST_REDIRECTS;
      if (!followed) throw new SocketEndedError(path, { kind: 'refused', status: answer.status });
      address = target.url;
    } catch (error) {
      socket.end();
      signal.throwIfAborted();
      if (!timeout.aborted) throw error;
      throw new SocketEndedError(path, { kind: 'lost', code: 'TIMEOUT' });
    }
  }
}

async function authenticate(socket: PrefectSocket, { settings, path }: SocketOptions, timeout: AbortSignal) {
  await socket.send(JSON.stringify({ type: 'auth', token: settings.token ?? null }));
  const text = await socket.receive(timeout);
  let answer: unknown;
  try {
    answer = JSON.parse(text);
  } catch {
    answer = undefined;
  }
  if (AuthAnswer.safeParse(answer).success) return;
  const denial = Denial.safeParse(answer);
  const reason = denial.success ? shown(denial.data.reason, settings) : '';
  throw new SocketEndedError(path, { kind: 'denied', reason });
}

type Opened =
  | { readonly kind: 'open' }
  | { readonly kind: 'answer'; readonly status: number; readonly location: string | null };

class Connection implements PrefectSocket {
  readonly #path: string;
  readonly #socket: WebSocket;
  readonly #opened = Promise.withResolvers<Opened>();
  readonly #closed = Promise.withResolvers<void>();
  readonly #waiting: string[] = [];
  #reader: PromiseWithResolvers<void> | undefined;
  #failure: { readonly code: string; readonly cause: unknown } | undefined;
  #ended: SocketEndedError | undefined;
  #pinging: NodeJS.Timeout | undefined;
  #heard = true;

  constructor(address: string, { settings, path, product, signal, pingMs = PING_MS }: SocketOptions) {
    this.#path = path;
    // Nobody may be waiting when it fails.
    this.#opened.promise.catch(() => undefined);
    const ca = certificateAuthorities(settings.tls.caFile);
    const trust = ca === undefined ? {} : { ca };
    const socket = new WebSocket(address.replace(/^http/, 'ws'), SUBPROTOCOL, {
      headers: {
        'user-agent': userAgent(product),
        ...Object.fromEntries(Object.entries(settings.customHeaders).filter(([name]) => !HANDSHAKE_HEADER.test(name))),
      },
      ...trust,
      rejectUnauthorized: !settings.tls.insecure,
      // A WebSocket is always tunnelled: few proxies pass an upgrade on.
      ...(settings.proxy === undefined ? {} : { agent: new HttpsProxyAgent(settings.proxy, trust) }),
      perMessageDeflate: false,
      maxPayload: LONGEST_MESSAGE,
    });
    this.#socket = socket;
    const end = () => this.end();
    signal.addEventListener('abort', end, { once: true });
    socket.on('open', () => {
      this.#pinging = setInterval(() => this.#ping(), pingMs);
      this.#opened.resolve({ kind: 'open' });
    });
    socket.on('unexpected-response', (request, { statusCode = 0, headers }) => {
      this.#opened.resolve({ kind: 'answer', status: statusCode, location: headers.location ?? null });
      request.destroy();
    });
    socket.on('message', (data: RawData) => {
      this.#heard = true;
      this.#waiting.push(textOf(data));
      if (this.#waiting.length >= WAITING.most) socket.pause();
      this.#reader?.resolve();
    });
    socket.on('pong', () => {
      this.#heard = true;
    });
    socket.on('error', (cause: unknown) => {
      this.#failure ??= { code: codeOf(cause) ?? 'CONNECTION_FAILED', cause };
    });
    socket.on('close', (code, reason) => {
      signal.removeEventListener('abort', end);
      clearInterval(this.#pinging);
      this.#ended = this.#endOf(code, shown(reason.toString('utf8'), settings));
      this.#opened.reject(this.#ended);
      this.#closed.resolve();
      this.#reader?.resolve();
    });
  }

  /** Resolves when it is open or its upgrade was answered otherwise. */
  async opened(timeout: AbortSignal): Promise<Opened> {
    return await unlessAborted(this.#opened.promise, timeout);
  }

  async send(text: string): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<Error | undefined>();
    this.#socket.send(text, (error) => resolve(error ?? undefined));
    if ((await promise) === undefined) return;
    // It cannot be written to any more; how it ended is about to be known.
    await this.#closed.promise;
    throw this.#ended;
  }

  async receive(signal?: AbortSignal): Promise<string> {
    for (;;) {
      const message = this.#waiting.shift();
      if (message !== undefined) {
        if (this.#waiting.length === WAITING.few) this.#socket.resume();
        return message;
      }
      if (this.#ended !== undefined) throw this.#ended;
      this.#reader ??= Promise.withResolvers<void>();
      const { promise } = this.#reader;
      await (signal === undefined ? promise : unlessAborted(promise, signal));
      this.#reader = undefined;
    }
  }

  async close(): Promise<void> {
    this.end();
    await this.#closed.promise;
  }

  /** The same without waiting. */
  end(): void {
    if (this.#ended !== undefined) return;
    // A held back socket would not read the answer to its goodbye.
    if (this.#socket.readyState === WebSocket.OPEN) this.#socket.resume();
    this.#socket.close(1000);
    const patience = setTimeout(() => this.#socket.terminate(), GOODBYE_MS);
    this.#closed.promise.finally(() => clearTimeout(patience)).catch(() => undefined);
  }

  #ping(): void {
    // What a slow reader holds back may be the pong itself.
    if (!this.#heard && !this.#socket.isPaused) {
      this.#failure ??= { code: 'PING_TIMEOUT', cause: undefined };
      this.#socket.terminate();
      return;
    }
    this.#heard = false;
    this.#socket.ping();
  }

  #endOf(code: number, reason: string): SocketEndedError {
    // 1006 is never sent: it is how a connection without a close is told.
    const end: SocketEnd =
      this.#failure !== undefined || code === 1006
        ? { kind: 'lost', code: this.#failure?.code ?? 'CONNECTION_BROKEN' }
        : { kind: 'closed', code, reason };
    return new SocketEndedError(this.#path, end, this.#failure?.cause);
  }
}

function textOf(data: RawData): string {
  if (Array.isArray(data)) return Buffer.concat(data).toString('utf8');
  return (data instanceof ArrayBuffer ? Buffer.from(data) : data).toString('utf8');
}

/** A server, or a proxy before it, may give back what it was sent. */
function shown(reason: string, settings: PrefectSettings): string {
  return masked(reason, settings.secrets).slice(0, LONGEST_REASON);
}

async function unlessAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  signal.throwIfAborted();
  const { promise: aborted, reject } = Promise.withResolvers<never>();
  const abort = () => reject(signal.reason);
  signal.addEventListener('abort', abort, { once: true });
  try {
    return await Promise.race([work, aborted]);
  } finally {
    signal.removeEventListener('abort', abort);
  }
}
