/**
 * `npm run test:differential:worker`: asks the locked Prefect what its Kubernetes worker would send for every case of
 * cases.json and compares with goldens.json; `-- --write` writes them. What this worker sends is compared with the same
 * goldens by differential.test.ts, which needs no Python.
 *
 * `-- --random N [--seed S]`: N cases that nobody wrote, asked of Prefect and of this worker. A difference names the seed
 * that makes its case again: `--random 1 --seed THAT`, with `--show` to see the case.
 */
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { delimiter, dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { parseJson } from '@slipway/prefect/json';
import * as z from 'zod';
import { installPrefect, installUv } from '../../rig/builds/prefect-environment.ts';
import { Answer, CASES_TEXT, GENERATOR_FILE, GOLDENS_FILE, goldenKey } from './cases.ts';
import { changedLines, type Difference, judge, randomCases } from './random.ts';

const { values } = parseArgs({
  options: {
    write: { type: 'boolean', default: false },
    random: { type: 'string' },
    seed: { type: 'string' },
    show: { type: 'boolean', default: false },
  },
});
const { signal } = new AbortController();
const { python } = await installPrefect(await installUv(console.log, signal), console.log, signal);
const agree = values.random === undefined ? compareKept() : await compareRandom(values.random, values.seed);
process.exitCode = agree ? 0 : 1;

function askPrefect(cases: string): Answer[] {
  const output = execFileSync(python, [fileURLToPath(GENERATOR_FILE)], {
    input: cases,
    encoding: 'utf8',
    env: { PATH: [dirname(python), process.env.PATH].join(delimiter) },
    stdio: ['pipe', 'pipe', 'ignore'],
    timeout: 900_000,
    maxBuffer: 2 ** 28,
  });
  return z.array(Answer).parse(parseJson(output));
}

function compareKept(): boolean {
  const answers = askPrefect(CASES_TEXT);
  const lines = answers.map((answer) => `  ${JSON.stringify(answer)}`).join(',\n');
  const text = `{\n "key": "${goldenKey()}",\n "answers": [\n${lines}\n ]\n}\n`;
  if (values.write) {
    writeFileSync(GOLDENS_FILE, text);
    console.log(`${answers.length} answers written`);
  } else if (text === readFileSync(GOLDENS_FILE, 'utf8')) {
    console.log(`${answers.length} answers, all as in goldens.json`);
  } else {
    console.error(
      'Prefect answers differently from goldens.json. See what: npm run test:differential:worker -- --write',
    );
    return false;
  }
  return true;
}

async function compareRandom(countText: string, seedText = String(Date.now() % 1_000_000_000)): Promise<boolean> {
  const [count, seed] = [Number(countText), Number(seedText)];
  if (!Number.isSafeInteger(seed) || !Number.isSafeInteger(count) || count < 1) {
    throw new Error('--random and --seed are whole numbers');
  }
  console.log(`seed ${seed}, ${count} cases`);
  const cases = randomCases(seed, count);
  const answers = askPrefect(JSON.stringify({ cases }));
  const counts = new Map<string, number>();
  let differences = 0;
  for (const [index, given] of cases.entries()) {
    const answer = answers[index];
    if (answer === undefined) throw new Error(`no answer to ${given.about}`);
    const verdict = await judge(given, answer);
    counts.set(verdict.kind, (counts.get(verdict.kind) ?? 0) + 1);
    if (values.show) console.log(JSON.stringify(given, undefined, 1), JSON.stringify(answer, undefined, 1));
    if (verdict.kind === 'same' || verdict.kind === 'both refuse') continue;
    differences += 1;
    console.log(`\n${given.about}: ${verdict.kind}`);
    console.log(told(verdict));
  }
  console.log(`\n${[...counts].map(([kind, many]) => `${many} ${kind}`).join(', ')}`);
  return differences === 0;
}

function told(verdict: Difference): string {
  if (verdict.kind === 'differs') return changedLines(verdict.theirs, verdict.ours).join('\n');
  return verdict.kind === 'only ours sends' ? verdict.theirs : verdict.ours;
}
