import { randomUUID } from 'node:crypto';
import * as z from 'zod';
import { PrefectAnswerError } from './errors.ts';

const Token = z.object({ token: z.string(), expiration: z.string() });

/** What a writing request needs now: headers (none when the server has CSRF off), or the answer that refused a token. */
export type CsrfHeaders<Answer> =
  | { readonly kind: 'headers'; readonly headers: Readonly<Record<string, string>> }
  | { readonly kind: 'refused'; readonly answer: Answer };

/**
 * The CSRF token of one client (contracts/deploy.md §6.8). A server without CSRF answers 404 or 422 once and is not
 * asked again; a token is used until half a minute before it expires. Any other answer is the caller's: it counts as
 * the answer to the request that needed the token.
 */
export class CsrfTokens<Answer extends { readonly status: number; readonly body: string }> {
  readonly #client = randomUUID();
  readonly #url: string;
  readonly #clock: { now(): number };
  readonly #get: (url: string, signal: AbortSignal) => Promise<Answer>;
  #enabled: boolean;
  #current: { readonly token: string; readonly expiresAt: number } | undefined;
  #asking: Promise<Answer | undefined> | undefined;

  constructor(
    enabled: boolean,
    apiUrl: string,
    clock: { now(): number },
    get: (url: string, signal: AbortSignal) => Promise<Answer>,
  ) {
    this.#enabled = enabled;
    this.#url = `${apiUrl}/csrf-token?client=${this.#client}`;
    this.#clock = clock;
    this.#get = get;
  }

  /** @throws PrefectAnswerError when the answer is no token; what `get` throws when there is no answer. */
  async headers(signal: AbortSignal): Promise<CsrfHeaders<Answer>> {
    if (this.#enabled && (this.#current === undefined || this.#current.expiresAt <= this.#clock.now())) {
      this.#current = undefined;
      this.#asking ??= this.#ask(signal).finally(() => {
        this.#asking = undefined;
      });
      const answer = await this.#asking;
      if (answer !== undefined) return { kind: 'refused', answer };
    }
    if (this.#current === undefined) return { kind: 'headers', headers: {} };
    const { token } = this.#current;
    return { kind: 'headers', headers: { 'prefect-csrf-token': token, 'prefect-csrf-client': this.#client } };
  }

  /** The server refused the token: the next writing request fetches another. */
  forget(): void {
    this.#current = undefined;
  }

  /** @returns the server's answer when it neither gave a token nor said that it wants none. */
  async #ask(signal: AbortSignal): Promise<Answer | undefined> {
    const answer = await this.#get(this.#url, signal);
    if (answer.status === 404 || (answer.status === 422 && answer.body.includes('CSRF protection is disabled'))) {
      this.#enabled = false;
      return undefined;
    }
    if (answer.status !== 200) return answer;
    let json: unknown;
    try {
      json = JSON.parse(answer.body);
    } catch {
      json = undefined;
    }
    const checked = Token.safeParse(json);
    if (!checked.success) {
      throw new PrefectAnswerError('the answer to "read a CSRF token" is not one: is PREFECT_API_URL that of an API?');
    }
    const { token, expiration } = checked.data;
    this.#current = { token, expiresAt: Date.parse(expiration) - 30_000 };
    return undefined;
  }
}
