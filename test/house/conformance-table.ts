/** One row of a conformance table: what shows the check, or why nothing does. */
export interface Row {
  readonly number: number;
  readonly check: string;
  readonly shown: Shown;
}

export type Shown =
  | { readonly kind: 'tests'; readonly tests: readonly TestReference[] }
  /** A check of something that does not exist here, or one whose behaviour is not there yet. */
  | { readonly kind: 'nothing'; readonly reason: string };

export interface TestReference {
  readonly file: string;
  /** The end of a test's titles, groups first. */
  readonly titles: readonly string[];
}

const BETWEEN = ' › ';
const NOTHING = /^(no counterpart|not yet): \S/;

/**
 * The rows below a heading of a Markdown page, up to the next heading: `| number | check | shown by |`, where the last
 * cell has tests as `` `file › titles` ``, or begins with `no counterpart:` or `not yet:`.
 *
 * @throws Error for a row that is neither.
 */
export function conformanceRows(page: string, heading: string): Row[] {
  const after = page.split('\n').slice(page.split('\n').indexOf(heading) + 1);
  const end = after.findIndex((line) => line.startsWith('## '));
  return (end === -1 ? after : after.slice(0, end)).filter((line) => /^\| *\d+ *\|/.test(line)).map(rowOf);
}

function rowOf(line: string): Row {
  const [number = '', check = '', shown = '', ...more] = line
    .split(/(?<!\\)\|/)
    .slice(1, -1)
    .map((cell) => cell.replaceAll('\\|', '|').trim());
  if (more.length > 0 || check === '') throw new Error(`not three cells: ${line}`);
  if (NOTHING.test(shown)) return { number: Number(number), check, shown: { kind: 'nothing', reason: shown } };
  const tests = [...shown.matchAll(/`([^`]+)`/g)].flatMap(([, reference = '']) => {
    const [file = '', ...titles] = reference.split(BETWEEN);
    return titles.length === 0 ? [] : [{ file, titles }];
  });
  if (tests.length === 0) throw new Error(`check ${number} names no test, nor why there is none`);
  return { number: Number(number), check, shown: { kind: 'tests', tests } };
}
