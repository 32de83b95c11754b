/**
 * The lines that begin inside quotes, brackets or braces, numbered from 1: YAML 1.1 as PyYAML scans it, without its
 * tokens. A guess where a text or a block goes over several lines; whoever uses the answer checks it.
 *
 * @param text with `\n` as the only line end.
 */
export function continuedLines(text: string): Set<number> {
  const continued = new Set<number>();
  let line = 1;
  let depth = 0;
  let at = 0;
  const newline = (inside: boolean): void => {
    line += 1;
    if (inside) continued.add(line);
  };
  while (at < text.length) {
    const character = text[at] ?? '';
    const before = text[at - 1] ?? '\n';
    if (character === '\n') {
      newline(depth > 0);
      at += 1;
    } else if (character === '#' && /\s/.test(before)) {
      at = endOf(/\n|$/g, text, at);
    } else if (character === '"' || character === "'") {
      const end = endOf(character === '"' ? /(?:[^"\\]|\\.)*(?:"|$)/gsy : /(?:[^']|'')*(?:'|$)/gsy, text, at + 1, true);
      for (
        let inside = text.indexOf('\n', at);
        inside !== -1 && inside < end;
        inside = text.indexOf('\n', inside + 1)
      ) {
        newline(true);
      }
      at = end;
    } else if (depth === 0 && (character === '|' || character === '>') && /\s/.test(before)) {
      const end = endOfBlock(text, at);
      for (
        let inside = text.indexOf('\n', at);
        inside !== -1 && inside < end;
        inside = text.indexOf('\n', inside + 1)
      ) {
        newline(false);
      }
      at = end;
    } else if ('[{'.includes(character)) {
      depth += 1;
      at += 1;
    } else if (depth > 0 && ']}'.includes(character)) {
      depth -= 1;
      at += 1;
    } else if (/[\s,:?-]/.test(character)) {
      at += 1;
    } else if ('&*!'.includes(character)) {
      // An anchor, alias or tag: what it stands before may well have quotes or brackets.
      at = endOf(/[\s,[\]{}]|$/g, text, at + 1);
    } else {
      // Text without quotes, in which none of the others mean anything.
      at = endOf(depth > 0 ? /: |:?[\n,[\]{}]| #|$/g : /:?[ ]*\n|: | #|$/g, text, at + 1);
    }
  }
  return continued;
}

/** Where the next match begins; with `after`, where the match at this very place ends. */
function endOf(pattern: RegExp, text: string, from: number, after = false): number {
  pattern.lastIndex = from;
  const found = pattern.exec(text);
  if (found === null) return text.length;
  return Math.max(from, found.index + (after ? found[0].length : 0));
}

/** The end of a block text whose `|` or `>` stands at an offset: the first line that is not deeper than its key. */
function endOfBlock(text: string, header: number): number {
  const start = text.lastIndexOf('\n', header) + 1;
  const owner = /^[ ]*(?:[-?] +)*/.exec(text.slice(start, header))?.[0].length ?? 0;
  // `- |` belongs to the dash.
  const indent = start + owner === header ? owner - 2 : owner;
  let end = text.indexOf('\n', header);
  while (end !== -1) {
    const next = text.indexOf('\n', end + 1);
    const line = text.slice(end + 1, next === -1 ? undefined : next);
    if (line.trim() !== '' && line.search(/[^ ]/) <= indent) return end;
    end = next;
  }
  return text.length;
}
