/** A command whose quotes do not match. */
export class ShellWordsError extends Error {
  override readonly name = 'ShellWordsError';
}

/**
 * Splits a command into words as a POSIX shell does, without expanding anything (contracts/worker.md §4.7, Python's
 * `shlex.split`): `python -m 'a b'` is three words.
 *
 * @throws ShellWordsError when a quote is not closed or the text ends in a lone backslash.
 */
export function shellWords(command: string): string[] {
  const words: string[] = [];
  let word: string | undefined;
  let quote: string | undefined;
  for (let at = 0; at < command.length; at += 1) {
    const character = command.charAt(at);
    if (quote === "'") {
      if (character === quote) quote = undefined;
      else word = (word ?? '') + character;
    } else if (character === '\\') {
      at += 1;
      const next = command.charAt(at);
      if (next === '') throw new ShellWordsError('No escaped character');
      const kept = quote === '"' && next !== '"' && next !== '\\' ? `\\${next}` : next;
      word = (word ?? '') + kept;
    } else if (quote === '"') {
      if (character === quote) quote = undefined;
      else word = (word ?? '') + character;
    } else if (character === "'" || character === '"') {
      quote = character;
      word ??= '';
    } else if (/[ \t\r\n]/.test(character)) {
      if (word !== undefined) words.push(word);
      word = undefined;
    } else {
      word = (word ?? '') + character;
    }
  }
  if (quote !== undefined) throw new ShellWordsError('No closing quotation');
  if (word !== undefined) words.push(word);
  return words;
}
