/**
 * `npm run test:differential:worker`: asks the locked Prefect what its Kubernetes worker would send for every case of
 * cases.json and compares with goldens.json; `-- --write` writes them. What this worker sends is compared with the same
 * goldens by differential.test.ts, which needs no Python.
 */
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { delimiter, dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseJson } from '@slipway/prefect/json';
import { z } from 'zod';
import { installPrefect, installUv } from '../../rig/builds/prefect-environment.ts';
import { Answer, CASES_TEXT, GENERATOR_FILE, GOLDENS_FILE, goldenKey } from './cases.ts';

const { signal } = new AbortController();
const log = (text: string) => console.log(text);
const { python } = await installPrefect(await installUv(log, signal), log, signal);
const output = execFileSync(python, [fileURLToPath(GENERATOR_FILE)], {
  input: CASES_TEXT,
  encoding: 'utf8',
  env: { PATH: [dirname(python), process.env.PATH].join(delimiter) },
  stdio: ['pipe', 'pipe', 'ignore'],
  timeout: 900_000,
});
const answers = z.array(Answer).parse(parseJson(output));
const lines = answers.map((answer) => `  ${JSON.stringify(answer)}`).join(',\n');
const text = `{\n "key": "${goldenKey()}",\n "answers": [\n${lines}\n ]\n}\n`;
if (process.argv.includes('--write')) {
  writeFileSync(GOLDENS_FILE, text);
  console.log(`${answers.length} answers written`);
} else if (text === readFileSync(GOLDENS_FILE, 'utf8')) {
  console.log(`${answers.length} answers, all as in goldens.json`);
} else {
  console.error('Prefect answers differently from goldens.json. See what: npm run test:differential:worker -- --write');
  process.exitCode = 1;
}
