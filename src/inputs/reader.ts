import { parse } from 'csv-parse/sync';
import { Problem } from '../problem.ts';

const UNIT_MS = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 } as const;

/**
 * Reads single inputs as a runner gives them: `INPUT_<NAME>` with blanks as underscores and hyphens kept, defaults from
 * action.yml already filled in, an input that is not written arriving as an empty text. What is wrong is gathered in
 * `problems`, so that everything is told at once; the reading then goes on with a stand-in.
 */
export class InputReader {
  readonly problems: Problem[] = [];
  readonly env: Readonly<Record<string, string>>;

  constructor(env: Readonly<Record<string, string>>) {
    this.env = env;
  }

  /** The text without blanks around it; empty when it is not written. */
  text(name: string): string {
    return this.verbatim(name).trim();
  }

  /** The text as it came: a password may begin with a blank. */
  verbatim(name: string): string {
    return this.env[`INPUT_${name.replaceAll(' ', '_').toUpperCase()}`] ?? '';
  }

  optional(name: string): string | undefined {
    return this.text(name) || undefined;
  }

  /** One item per line; commas mean nothing. */
  lines(name: string): string[] {
    return this.text(name)
      .split('\n')
      .map((line) => line.trim())
      .filter((line) => line !== '');
  }

  /** Items on lines or between commas, as docker/build-push-action reads `tags`, `platforms`, `add-hosts` and `ssh`. */
  list(name: string): string[] {
    return this.#records(name)
      .flatMap((record) => record.join(',').split(','))
      .map((item) => item.trim())
      .filter((item) => item !== '');
  }

  /**
   * One item per line, commas in it kept; a line in double quotes may hold line breaks, and `""` in it is a quote. So
   * docker/build-push-action reads `build-args`, `labels`, `secrets`, `cache-from`, `cache-to`, `build-contexts`.
   */
  items(name: string): string[] {
    return this.#records(name)
      .map((record) => record.join(',').trim())
      .filter((item) => item !== '');
  }

  /** Items `name=value`; what an item without `=` means is the caller's to say: undefined leaves it out. */
  pairs(name: string, alone: (item: string) => string | undefined): Readonly<Record<string, string>> {
    const found: Record<string, string> = {};
    this.items(name).forEach((item, index) => {
      const [key, value] = splitPair(item, alone);
      if (key === '') {
        this.refuse(`item ${index + 1} of the input ${name} has no name before its \`=\``, 'Write name=value.');
      } else if (value !== undefined) found[key] = value;
    });
    return found;
  }

  oneOf<Word extends string>(name: string, words: readonly Word[], otherwise: Word): Word {
    const value = this.text(name);
    if (value === '') return otherwise;
    const word = words.find((one) => one === value);
    if (word === undefined) this.refuse(`the input ${name} is "${value}"`, `Use one of ${words.join(', ')}.`);
    return word ?? otherwise;
  }

  /** Booleans as YAML 1.2's core schema and GitHub's own toolkit write them. */
  flag(name: string, otherwise: boolean): boolean {
    const value = this.text(name);
    if (value === '') return otherwise;
    if (['true', 'True', 'TRUE'].includes(value)) return true;
    if (!['false', 'False', 'FALSE'].includes(value))
      this.refuse(`the input ${name} is "${value}"`, 'Use true or false.');
    return false;
  }

  /** `90s`, `60m`, `2h` in milliseconds. */
  duration(name: string, otherwise: string): number {
    const value = this.text(name) || otherwise;
    const match = /^(\d+(?:\.\d+)?)(ms|s|m|h)$/.exec(value);
    const amount = Number(match?.[1]);
    if (match !== null && amount > 0) return amount * UNIT_MS[match[2] as keyof typeof UNIT_MS];
    this.refuse(`the input ${name} is "${value}"`, 'Use a number above 0 with a unit: 90s, 60m, 2h.');
    return 0;
  }

  /** What `read` makes of it, or the stand-in when that is a Problem. */
  attempt<T>(read: () => T, otherwise: T): T {
    try {
      return read();
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      this.problems.push(error);
      return otherwise;
    }
  }

  refuse(message: string, remedy: string): void {
    this.problems.push(new Problem(message, { remedy }));
  }

  #records(name: string): string[][] {
    const text = this.verbatim(name);
    try {
      return parse(text, { columns: false, relax_quotes: true, relax_column_count: true, skip_empty_lines: true });
    } catch {
      // The parser's own words repeat the text, which may be a secret.
      this.refuse(
        `the input ${name} cannot be read: a double quote opens an item and does not close it`,
        'Close the quote, and write a quote inside a quoted item twice.',
      );
      return [];
    }
  }
}

function splitPair(item: string, alone: (item: string) => string | undefined): [string, string | undefined] {
  const at = item.indexOf('=');
  return at === -1 ? [item, alone(item)] : [item.slice(0, at).trim(), item.slice(at + 1)];
}
