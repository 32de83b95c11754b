import { randomUUID } from 'node:crypto';
import { z } from 'zod';

const Token = z.object({ token: z.string(), expiration: z.string() });

/**
 * The CSRF token of one client (contracts/deploy.md §6.8). A server without CSRF answers 404 or 422 once and is not
 * asked again; a token is used until half a minute before it expires. A fetch that fails in passing is thrown to the
 * caller, whose own retry asks again.
 */
export class CsrfTokens {
  readonly #client = randomUUID();
  readonly #url: string;
  readonly #clock: { now(): number };
  readonly #get: (url: string, signal: AbortSignal) => Promise<{ status: number; body: string }>;
  #enabled: boolean;
  #current: { readonly token: string; readonly expiresAt: number } | undefined;
  #asking: Promise<void> | undefined;

  constructor(
    enabled: boolean,
    apiUrl: string,
    clock: { now(): number },
    get: (url: string, signal: AbortSignal) => Promise<{ status: number; body: string }>,
  ) {
    this.#enabled = enabled;
    this.#url = `${apiUrl}/csrf-token?client=${this.#client}`;
    this.#clock = clock;
    this.#get = get;
  }

  /** The headers a writing request needs now: none when the server has CSRF off. */
  async headers(signal: AbortSignal): Promise<Record<string, string>> {
    if (this.#enabled && (this.#current === undefined || this.#current.expiresAt <= this.#clock.now())) {
      this.#asking ??= this.#ask(signal).finally(() => {
        this.#asking = undefined;
      });
      await this.#asking;
    }
    if (this.#current === undefined) return {};
    return { 'prefect-csrf-token': this.#current.token, 'prefect-csrf-client': this.#client };
  }

  /** The server refused the token: the next writing request fetches another. */
  forget(): void {
    this.#current = undefined;
  }

  async #ask(signal: AbortSignal): Promise<void> {
    const answer = await this.#get(this.#url, signal);
    if (answer.status === 404 || (answer.status === 422 && answer.body.includes('CSRF protection is disabled'))) {
      this.#enabled = false;
      return;
    }
    // Any other refusal will meet the request itself, whose answer says more than this one's.
    if (answer.status !== 200) return;
    const { token, expiration } = Token.parse(JSON.parse(answer.body));
    this.#current = { token, expiresAt: Date.parse(expiration) - 30_000 };
  }
}
