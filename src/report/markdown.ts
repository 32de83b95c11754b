/** Text from outside (names, commit messages, errors of a server) on its way into GitHub-flavoured Markdown. */

/**
 * A text that shows as it is: no markup, no HTML, no end of a table's cell, on one line. `@` and `#` lose their meaning
 * by a space of no width, as GitHub turns an entity back before it looks for people and issues.
 */
export function plainText(text: string): string {
  return text
    .replaceAll(/\s+/g, ' ')
    .trim()
    .replaceAll(/[\\`*_{}[\]<>()|~&!]|[@#](?=\w)/g, (sign) =>
      sign === '@' || sign === '#' ? `${sign}&#8203;` : `&#${sign.charCodeAt(0)};`,
    );
}

/** A text as code, on one line; in a table's cell the bars are kept from ending it. */
export function codeSpan(text: string, place: 'cell' | 'text' = 'cell'): string {
  const line = text.replaceAll(/\s+/g, ' ');
  const fence = '`'.repeat(longestRun(line) + 1);
  const pad = /^`|`$|^ .* $/.test(line) || line === '' ? ' ' : '';
  const inside = place === 'cell' ? line.replaceAll('|', '\\|') : line;
  return `${fence}${pad}${inside}${pad}${fence}`;
}

/** A link; `label` is Markdown already. */
export function link(label: string, url: string): string {
  return `[${label}](${url.replaceAll(/[\s()<>\\]/g, (sign) => `%${sign.charCodeAt(0).toString(16).padStart(2, '0').toUpperCase()}`)})`;
}

/** A block of lines in which nothing is markup. */
export function fenced(language: string, lines: readonly string[]): string {
  const fence = '`'.repeat(Math.max(3, longestRun(lines.join('\n')) + 1));
  return [`${fence}${language}`, ...lines, fence].join('\n');
}

/** A text inside an HTML tag, where Markdown has no meaning. */
export function html(text: string): string {
  return text.replaceAll(/\s+/g, ' ').replaceAll(/[<>&"]/g, (sign) => `&#${sign.charCodeAt(0)};`);
}

/** Length of the longest run of backticks. */
function longestRun(text: string): number {
  return (text.match(/`+/g) ?? []).reduce((longest, run) => Math.max(longest, run.length), 0);
}
