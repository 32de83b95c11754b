import { Problem, throwIfAny } from '../problem.ts';
import { Composer, SYNTAX_REMEDY, tooDeep } from './compose.ts';
import type { YamlNode } from './nodes.ts';
import { parseDocuments } from './parse.ts';
import { pyyamlRefusals } from './pyyaml-refusals.ts';

/** Files above this are refused before they are parsed. */
export const MAX_BYTES = 5 * 1024 * 1024;
/** After a syntax error the rest is guesswork; a few are shown, not all. */
const MAX_SYNTAX_ERRORS = 5;

/**
 * Reads YAML 1.1 as PyYAML's `safe_load` does (contracts/deploy.md §1.1): the `yaml` library parses and tells places,
 * scalars, tags, merges and duplicate keys follow PyYAML.
 *
 * @param text the file's text.
 * @param file its path relative to the repository's root, for positions.
 * @returns the root; undefined when the file holds no document.
 * @throws Problem | Problems with every syntax error, or every value that PyYAML refuses.
 */
export function parseYaml(text: string, file: string): YamlNode | undefined {
  if (Buffer.byteLength(text) > MAX_BYTES) {
    throw new Problem(`${file} is larger than 5 MB`, {
      remedy: 'A prefect.yaml is a few kilobytes; check that prefect-file names the right file.',
      where: { file, line: 1, column: 1 },
    });
  }
  // Python opens the file in text mode, where every kind of line end is one newline.
  const normal = text.replaceAll(/\r\n?/g, '\n');
  refuseUnprintable(normal, file);
  try {
    const parsed = parseDocuments(normal, file);
    const { document, errors, second, source, at } = parsed;
    if (document === undefined) return undefined;
    // The library reports a stack that ran out as an error of the text.
    const overflow = errors.find((error) => error.message.startsWith('Maximum call stack'));
    if (overflow !== undefined) throw tooDeep(at(overflow.pos[0]), overflow);
    const problems = errors.slice(0, MAX_SYNTAX_ERRORS).map(
      (error) =>
        new Problem(`${file} is not valid YAML: ${error.message.replace(/\.$/, '')}`, {
          remedy: SYNTAX_REMEDY,
          where: at(error.pos[0]),
        }),
    );
    if (second !== undefined) {
      problems.push(
        new Problem(`${file} holds more than one YAML document`, {
          remedy: 'Keep one document; remove the `---` lines after the first.',
          where: at(second),
        }),
      );
    }
    if (problems.length === 0) {
      for (const { offset, reason } of pyyamlRefusals(parsed)) {
        problems.push(new Problem(`${file}: ${reason}`, { remedy: SYNTAX_REMEDY, where: at(offset) }));
      }
    }
    throwIfAny(problems);
    return document.contents === null ? undefined : new Composer(at, source).compose(document.contents);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw tooDeep({ file, line: 1, column: 1 }, error);
  }
}

/**
 * Broken encoding, which Python refuses; control characters, which PyYAML's reader refuses; and line ends that no editor
 * shows, where PyYAML ends a comment or a text out of sight.
 */
function refuseUnprintable(text: string, file: string): void {
  const found = /[^\t\n\x20-\x7e\xa0-\u2027\u202a-\ud7ff\ue000-\ufffc\u{10000}-\u{10ffff}]/u.exec(text);
  if (found === null) return;
  const before = text.slice(0, found.index);
  const [character] = found;
  const name = `U+${(character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')}`;
  const remove = 'Remove the character, or write it as an escape in double quotes.';
  const [message, remedy] =
    character === '\ufffd'
      ? [`${file} is not UTF-8 text`, 'Save the file as UTF-8.']
      : '\u0085\u2028\u2029'.includes(character)
        ? [`${file} holds the invisible line end ${name}`, remove]
        : [`${file} holds the control character ${name}`, remove];
  const where = { file, line: before.split('\n').length, column: found.index - before.lastIndexOf('\n') };
  throw new Problem(message, { remedy, where });
}
