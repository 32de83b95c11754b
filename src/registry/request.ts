import type { Clock } from '../world.ts';
import { isLoopback } from './repository.ts';
import { retrying } from './retry.ts';

/**
 * HTTP to registries and their token services. Failure model: a request has a deadline, is tried three times when the
 * server is overloaded (429, 5xx) or the connection breaks, never carries its Authorization to another origin, and
 * never speaks plain HTTP to anything but this machine (anchors/action.md §7).
 */
export interface RegistryWorld {
  readonly fetch: typeof globalThis.fetch;
  readonly clock: Clock;
  readonly random: () => number;
  readonly signal: AbortSignal;
}

export interface RegistryRequest {
  readonly method: 'GET' | 'HEAD' | 'POST' | 'PUT' | 'DELETE';
  readonly authorization?: string;
  readonly accept?: string;
  readonly form?: URLSearchParams;
  readonly content?: { readonly bytes: Uint8Array; readonly type: string };
  /** `refuse` for requests that carry a secret in their body or ask for one. */
  readonly redirects: 'follow' | 'refuse';
}

export interface RegistryAnswer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: Uint8Array;
}

/** No answer was had: `code` is Node's or OpenSSL's (ECONNREFUSED, ENOTFOUND, ERR_SSL_…), or one of ours. */
export class NoAnswer extends Error {
  override readonly name = 'NoAnswer';
  readonly code: string;
  readonly url: URL;

  constructor(url: URL, code: string, cause: unknown) {
    super(`no answer from ${url.origin}: ${code}`, { cause });
    this.code = code;
    this.url = url;
  }
}

const DEADLINE_MS = 30_000;
const ATTEMPTS = 3;
const MOST_REDIRECTS = 5;

/**
 * Sends a request and reads the whole answer, whatever its status.
 *
 * @throws NoAnswer, or the signal's reason.
 */
export async function send(world: RegistryWorld, url: URL, request: RegistryRequest): Promise<RegistryAnswer> {
  const { clock, random, signal } = world;
  try {
    return await retrying(() => sendOnce(world, url, request), { clock, random, signal, attempts: ATTEMPTS, delayOf });
  } catch (error) {
    if (error instanceof Overloaded) return error.answer;
    throw error;
  }
}

class Overloaded extends Error {
  override readonly name = 'Overloaded';
  readonly answer: RegistryAnswer;

  constructor(answer: RegistryAnswer) {
    super(`status ${answer.status}`);
    this.answer = answer;
  }
}

function delayOf(error: unknown): number | 'again' | undefined {
  if (error instanceof Overloaded) {
    const seconds = Number(error.answer.headers.get('retry-after') ?? 'none');
    return Number.isFinite(seconds) ? seconds * 1000 : 'again';
  }
  if (error instanceof NoAnswer)
    return /^(?:ECONNRESET|EPIPE|ETIMEDOUT|EAI_AGAIN|UND_ERR_.*|deadline)$/.test(error.code) ? 'again' : undefined;
  return undefined;
}

async function sendOnce(world: RegistryWorld, start: URL, request: RegistryRequest): Promise<RegistryAnswer> {
  let url = start;
  for (let hops = 0; hops <= MOST_REDIRECTS; hops += 1) {
    if (url.protocol !== 'https:' && !isLoopback(url.host)) throw new NoAnswer(url, 'plain http', undefined);
    const answer = await fetchOnce(world, url, request, url.origin === start.origin);
    const location = answer.headers.get('location');
    if (answer.status < 300 || answer.status > 399 || location === null) {
      if (answer.status === 429 || answer.status >= 500) throw new Overloaded(answer);
      return answer;
    }
    if (request.redirects === 'refuse') throw new NoAnswer(url, 'redirect', undefined);
    url = new URL(location, url);
  }
  throw new NoAnswer(url, 'too many redirects', undefined);
}

async function fetchOnce(
  world: RegistryWorld,
  url: URL,
  request: RegistryRequest,
  sameOrigin: boolean,
): Promise<RegistryAnswer> {
  const headers: Record<string, string> = {};
  if (request.authorization !== undefined && sameOrigin) headers.authorization = request.authorization;
  if (request.accept !== undefined) headers.accept = request.accept;
  if (request.content !== undefined) headers['content-type'] = request.content.type;
  const body = request.form ?? request.content?.bytes;
  try {
    const response = await world.fetch(url, {
      method: request.method,
      headers,
      redirect: 'manual',
      signal: AbortSignal.any([world.signal, AbortSignal.timeout(DEADLINE_MS)]),
      ...(body === undefined ? {} : { body }),
    });
    return { status: response.status, headers: response.headers, body: new Uint8Array(await response.arrayBuffer()) };
  } catch (error) {
    world.signal.throwIfAborted();
    throw new NoAnswer(url, codeOf(error), error);
  }
}

/** fetch says only "fetch failed"; what happened stands in the causes below. */
function codeOf(error: unknown): string {
  if (error instanceof DOMException && error.name === 'TimeoutError') return 'deadline';
  for (let at: unknown = error; at instanceof Error; at = at.cause) {
    if ('code' in at && typeof at.code === 'string') return at.code;
    if (at.message === 'bad port') return at.message;
  }
  return 'failed';
}

/** The JSON of an answer's body; undefined when it is none. */
export function jsonOf(answer: RegistryAnswer): unknown {
  try {
    return JSON.parse(Buffer.from(answer.body).toString('utf8'));
  } catch {
    return undefined;
  }
}
