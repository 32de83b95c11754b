import { masked } from '@slipway/prefect/settings';

/** Shorter texts are not replaced in what we write: `1` or `on` from a block would spoil every line. */
const SHORTEST = 4;

/** The secrets of a run, and how they are taken out of texts. */
export class Secrets {
  /** The longest first: of a secret that holds another one, no rest is left over. */
  #known: readonly string[] = [];

  /**
   * Adds a secret in the spellings in which it may turn up: whole, line by line, and as JSON, where a quote or a backslash
   * is spelled otherwise, since plans and outputs show values so.
   *
   * @returns the spellings that were not known before.
   */
  add(secret: string): readonly string[] {
    const json = JSON.stringify(secret).slice(1, -1);
    const spellings = new Set([secret, json, ...secret.split(/\r?\n/), ...json.split(/(?:\\r)?\\n/)]);
    const added = [...spellings].filter((part) => part.trim().length >= SHORTEST && !this.#known.includes(part));
    this.#known = [...this.#known, ...added].sort((one, other) => other.length - one.length);
    return added;
  }

  /** The text with `***` for each secret in it. */
  redact(text: string): string {
    return masked(text, this.#known);
  }
}
