/**
 * Requests and answers whose bodies are text from the beginning, for a client that makes thousands of them.
 *
 * The standard ones cost more than the calls themselves: each body becomes a stream and is read out of it again, and each
 * Request hangs a listener on its caller's signal, which stays until the garbage is collected; on a signal that lives as
 * long as the process they pile up, and adding one looks at all of them.
 */
import * as undici from 'undici';

/**
 * The standard's classes from the undici that connects. Node's are the same code once more, which it loads when they are
 * first named: 40 ms of processor time at every start, and some megabytes. The types are Node's, for the standard says
 * what both are.
 */
const Standard = undici as unknown as { readonly Request: typeof Request; readonly Response: typeof Response };

/** A request that hands out its caller's signal and text as they are. */
export class PlainRequest extends Standard.Request {
  override readonly signal: AbortSignal;
  override readonly text: () => Promise<string>;

  /** @param init its body is text or absent. @throws TypeError when it is anything else. */
  constructor(input: string | URL | Request, { signal, body, ...init }: RequestInit = {}) {
    super(input, init);
    if (body !== undefined && body !== null && typeof body !== 'string') throw new TypeError('the body is not text');
    this.signal = signal ?? new AbortController().signal;
    this.text = async () => body ?? '';
  }
}

/** An answer that hands out its text as it came, or read as JSON; it has no stream. */
export class PlainResponse extends Standard.Response {
  override readonly text: () => Promise<string>;
  override readonly json: () => Promise<unknown>;

  constructor(text: string, init: ResponseInit) {
    super(null, init);
    this.text = async () => text;
    this.json = async () => JSON.parse(text);
  }
}
