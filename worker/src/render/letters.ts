/**
 * Latin letters for other scripts.
 *
 * The tables take as much memory as all the rest of the worker's own code, and most workers never meet a name that is not
 * ASCII: they are loaded by who has met one. Names are made in pure functions that cannot wait, so these end with
 * LettersNotLoaded, and whoever called them loads the tables and calls again.
 */
import type { transliterate } from 'transliteration';

let loaded: typeof transliterate | undefined;

/** A name needs the tables, and they are not loaded yet. */
export class LettersNotLoaded extends Error {
  override readonly name = 'LettersNotLoaded';
}

/** From now on `latin` answers. */
export async function loadLetters(): Promise<void> {
  loaded ??= (await import('transliteration')).transliterate;
}

/**
 * The letters for one character; empty when there are none.
 *
 * @throws LettersNotLoaded
 */
export function latin(character: string): string {
  if (loaded === undefined) throw new LettersNotLoaded('loadLetters() comes first');
  return loaded(character);
}

/** Calls a function that makes names; a second time, with the tables, when it turns out to need them. */
export async function withLetters<T>(make: () => T): Promise<T> {
  try {
    return make();
  } catch (error) {
    if (!(error instanceof LettersNotLoaded)) throw error;
    await loadLetters();
    return make();
  }
}
