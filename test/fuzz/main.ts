/**
 * `npm run test:fuzz -- [--seed N] [--count N]`: mutated prefect.yaml files and mutated Python files, COUNT of each.
 * Each gives a result or problems with their places, never a crash or a hang; and what is read from YAML is what PyYAML
 * reads. A defect names the seed that makes its file again: `--seed THAT --count 1`.
 */
import { parseArgs } from 'node:util';
import { type Case, makeCases, pythonCase, yamlCase } from './cases.ts';
import type { Outcome } from './outcome.ts';
import { differences, findPython, readWithPyYaml } from './pyyaml.ts';
import { runCases } from './run-cases.ts';

const { values } = parseArgs({
  options: { seed: { type: 'string' }, count: { type: 'string', default: '2000' } },
});
const seed = Number(values.seed ?? Date.now() % 1_000_000_000);
const count = Number(values.count);
if (!Number.isSafeInteger(seed) || !Number.isSafeInteger(count) || count < 1) {
  throw new Error('--seed and --count are whole numbers');
}
console.log(`seed ${seed}, ${count} of each`);
let defects = 0;
for (const [name, make] of [
  ['prefect.yaml', yamlCase],
  ['Python', pythonCase],
] as const) {
  const cases = makeCases(make, seed, count);
  const outcomes = await runCases(cases);
  report(name, cases, outcomes);
  if (make === yamlCase) await compare(cases, outcomes);
}
process.exitCode = defects === 0 ? 0 : 1;

function report(name: string, cases: readonly Case[], outcomes: readonly Outcome[]): void {
  const of = (kind: Outcome['kind']): number => outcomes.filter((outcome) => outcome.kind === kind).length;
  console.log(`${name}: ${of('result')} read, ${of('problems')} refused with a place, ${of('defect')} defects`);
  for (const [index, outcome] of outcomes.entries()) {
    if (outcome.kind === 'defect') tell(cases[index], `${name}: ${outcome.words}`);
  }
}

async function compare(cases: readonly Case[], outcomes: readonly Outcome[]): Promise<void> {
  const controller = new AbortController();
  process.once('SIGINT', () => controller.abort());
  const python = await findPython(console.log, controller.signal);
  const theirs = await readWithPyYaml(
    python,
    cases.map((one) => one.text),
    controller.signal,
  );
  const found = differences(outcomes, theirs);
  console.log(`PyYAML: ${theirs.filter((one) => 'value' in one).length} read, ${found.length} differences`);
  for (const { index, words } of found) tell(cases[index], words);
}

function tell(one: Case | undefined, words: string): void {
  defects += 1;
  const command = `npm run test:fuzz -- --seed ${one?.seed} --count 1`;
  console.log(`\n${command}\n${words}\n${'-'.repeat(40)}\n${one?.text}\n${'-'.repeat(40)}`);
}
