/**
 * What a docstring says of a function's parameters, as Prefect reads it: `inspect.getdoc`, then griffe's Google
 * parser (contracts/deploy.md §3.5; Prefect's utilities/callables parameter_docstrings; griffe 2.4 docstrings/google).
 */

/** A tab reaches to the next multiple of this column. */
const TAB = 8;

/**
 * `inspect.cleandoc`: tabs expanded, the common indentation of all lines but the first removed, blank lines at both
 * ends removed.
 */
export function cleandoc(text: string): string {
  const lines = text.split('\n').map(expandTabs);
  const margins = lines.slice(1).flatMap((line) => (isBlank(line) ? [] : [indentOf(line)]));
  const margin = margins.length === 0 ? 0 : margins.reduce((least, next) => Math.min(least, next));
  const cleaned = lines.map((line, index) => (index === 0 ? line.trimStart() : line.slice(margin)));
  const first = cleaned.findIndex((line) => line !== '');
  const last = cleaned.findLastIndex((line) => line !== '');
  return first === -1 ? '' : cleaned.slice(first, last + 1).join('\n');
}

function expandTabs(line: string): string {
  if (!line.includes('\t')) return line;
  let out = '';
  for (const character of line) out += character === '\t' ? ' '.repeat(TAB - (out.length % TAB)) : character;
  return out;
}

function isBlank(line: string): boolean {
  return line.trim() === '';
}

function indentOf(line: string): number {
  return line.length - line.trimStart().length;
}

const PARAMETER_TITLES: ReadonlySet<string> = new Set(['args', 'arguments', 'params', 'parameters']);

/**
 * Parameter name → description out of the last `Args:` section that has any.
 *
 * @param docstring what `inspect.getdoc` gives; it is dedented once more, as griffe does, so that a docstring whose
 *   first line is `Args:` loses its parameters.
 */
export function parameterDescriptions(docstring: string): Map<string, string> {
  const lines = cleandoc(docstring.trimEnd()).split('\n');
  let descriptions = new Map<string, string>();
  let inCode = false;
  for (let at = 0; at < lines.length; at += 1) {
    const line = lines[at] ?? '';
    const fence = line.trimStart().startsWith('```');
    if (fence) inCode = !inCode;
    if (fence || inCode) continue;
    const title = sectionTitle(line);
    if (title === undefined || !opensSection(lines, at)) continue;
    const block = readBlock(lines, at + 1);
    at += block.length;
    if (!PARAMETER_TITLES.has(title.toLowerCase())) continue;
    const items = readItems(block);
    if (items.size > 0) descriptions = items;
  }
  return descriptions;
}

/** The words before the colon of `Args:` or `Args: a title`; any such line may open a section or an admonition. */
function sectionTitle(line: string): string | undefined {
  const colon = line.indexOf(':');
  if (colon < 1) return undefined;
  const rest = line.slice(colon + 1);
  if (rest !== '' && rest.trimStart() === rest) return undefined;
  const title = line.slice(0, colon);
  const words = [...title].every((character) => isWord(character) || character === '-' || character.trim() === '');
  return words && isWord(title.charAt(0)) ? title : undefined;
}

function isWord(character: string): boolean {
  if (character === '_' || (character >= '0' && character <= '9')) return true;
  return character.toLowerCase() !== character.toUpperCase();
}

/** A section needs a blank line (or nothing) above and an indented line right below. */
function opensSection(lines: readonly string[], at: number): boolean {
  const above = lines[at - 1];
  const below = lines[at + 1];
  return (above === undefined || isBlank(above)) && below !== undefined && !isBlank(below) && below.startsWith(' ');
}

/** The lines indented at least as deep as the first one, blank lines among them. */
function readBlock(lines: readonly string[], from: number): string[] {
  const indent = ' '.repeat(indentOf(lines[from] ?? ''));
  const block: string[] = [];
  for (const line of lines.slice(from)) {
    if (!isBlank(line) && !line.startsWith(indent)) break;
    block.push(line);
  }
  return block;
}

/** `name: text` and `name (type): text` at the block's own indentation; deeper lines go on with the text. */
function readItems(block: readonly string[]): Map<string, string> {
  const indent = indentOf(block[0] ?? '');
  const items: string[][] = [];
  for (const line of block) {
    if (isBlank(line)) items.at(-1)?.push('');
    else if (line.startsWith(' '.repeat(indent * 2))) items.at(-1)?.push(line.slice(indent * 2));
    else if (line.startsWith(' '.repeat(indent + 1))) items.at(-1)?.push(line.trimStart());
    else items.push([line.slice(indent)]);
  }
  const descriptions = new Map<string, string>();
  for (const [first = '', ...more] of items) {
    const colon = first.indexOf(':');
    if (colon === -1) continue;
    const text = [first.slice(colon + 1).trimStart(), ...more].join('\n');
    descriptions.set(itemName(first.slice(0, colon)), withoutTrailingNewlines(text));
  }
  return descriptions;
}

function itemName(text: string): string {
  const bracket = text.indexOf('(');
  return bracket !== -1 && text.endsWith(')') ? text.slice(0, bracket).trim() : text;
}

function withoutTrailingNewlines(text: string): string {
  let end = text.length;
  while (text[end - 1] === '\n') end -= 1;
  return text.slice(0, end);
}
