/** Why a line cannot be cut into words, in the words of Python's shlex. */
export class UnfinishedWord extends Error {
  override readonly name = 'UnfinishedWord';
}

/**
 * Cuts a command line into words as Python's `shlex.split(line)` does: POSIX quoting, no comments, no expansion
 * (contracts/deploy.md §2.2). The npm package `shlex` reads bash's `$'…'` and `$"…"` too, which Python does not.
 *
 * @throws UnfinishedWord for an open quote or a backslash at the end.
 */
export function splitWords(line: string): string[] {
  const words: string[] = [];
  let word: string | undefined;
  let quote: string | undefined;
  let escaped = false;
  for (const character of line) {
    if (escaped) {
      // Inside double quotes a backslash escapes only itself and the quote.
      const kept = quote !== undefined && character !== '\\' && character !== quote ? '\\' : '';
      word = `${word ?? ''}${kept}${character}`;
      escaped = false;
    } else if (character === '\\' && quote !== "'") {
      word ??= '';
      escaped = true;
    } else if (quote !== undefined) {
      if (character === quote) quote = undefined;
      else word = `${word ?? ''}${character}`;
    } else if (character === '"' || character === "'") {
      word ??= '';
      quote = character;
    } else if (' \t\r\n'.includes(character)) {
      if (word !== undefined) words.push(word);
      word = undefined;
    } else word = `${word ?? ''}${character}`;
  }
  if (escaped) throw new UnfinishedWord('No escaped character');
  if (quote !== undefined) throw new UnfinishedWord('No closing quotation');
  if (word !== undefined) words.push(word);
  return words;
}
