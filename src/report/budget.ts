/** What may still be written somewhere that holds only so much. */
export interface Budget {
  /** Takes what fits, in order, and stops at the first that does not. */
  take<T>(
    parts: readonly T[],
    text: (part: T) => string,
  ): { readonly taken: readonly T[]; readonly left: readonly T[] };
}

/**
 * A budget of `limit` units.
 *
 * @param size of a text, in the same unit.
 */
export function openBudget(limit: number, size: (text: string) => number): Budget {
  let rest = limit;
  return {
    take(parts, text) {
      let count = 0;
      for (const part of parts) {
        const needed = size(text(part));
        if (needed > rest) break;
        rest -= needed;
        count += 1;
      }
      return { taken: parts.slice(0, count), left: parts.slice(count) };
    },
  };
}
