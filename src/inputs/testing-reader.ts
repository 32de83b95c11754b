import { InputReader } from './reader.ts';

/** A reader of what a workflow's `with:` says, as a runner would hand it over. */
export function readerOf(given: Readonly<Record<string, string>>, env: Readonly<Record<string, string>> = {}) {
  const inputs = Object.entries(given).map(([name, value]) => [`INPUT_${name.toUpperCase()}`, value]);
  return new InputReader({ ...env, ...Object.fromEntries(inputs) });
}

/** The reader's problems as `message: remedy`. */
export function problemsIn(reader: InputReader): string[] {
  return reader.problems.map((problem) => `${problem.message}: ${problem.remedy}`);
}
