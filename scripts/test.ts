/**
 * `npm test`: everything, from a fresh clone: lint, types, dist, unit tests, end-to-end tests on the rig. All of it is
 * one vitest run, whose own report is counted in the last line.
 */
import { spawn } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import * as z from 'zod';

const Report = z.object({
  numPassedTests: z.number(),
  numFailedTests: z.number(),
  numPendingTests: z.number(),
  numTodoTests: z.number(),
  /** A file that cannot be loaded, or whose set-up fails, has no tests to count. */
  numFailedTestSuites: z.number(),
});

const root = resolve(import.meta.dirname, '..');
const folder = await mkdtemp(join(tmpdir(), 'slipway-test-'));
const report = join(folder, 'report.json');
try {
  const vitest = join(root, 'node_modules/vitest/vitest.mjs');
  const args = [
    vitest,
    'run',
    '--reporter=default',
    '--reporter=json',
    `--outputFile.json=${report}`,
    ...process.argv.slice(2),
  ];
  const exitCode = await new Promise<number>((done, failed) => {
    const child = spawn(process.execPath, args, { cwd: root, stdio: 'inherit' });
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => child.kill(signal));
    child.on('error', failed);
    child.on('exit', (code) => done(code ?? 1));
  });
  process.exitCode = exitCode;
  const text = await readFile(report, 'utf8').catch(() => undefined);
  const counts = Report.parse(
    text === undefined
      ? { numPassedTests: 0, numFailedTests: 0, numPendingTests: 0, numTodoTests: 0, numFailedTestSuites: 1 }
      : JSON.parse(text),
  );
  // What failed outside of any test (a set-up, an unhandled rejection) is a failure too.
  const failed = Math.max(counts.numFailedTests, exitCode === 0 ? 0 : 1);
  const skipped = counts.numPendingTests + counts.numTodoTests;
  console.log(`${counts.numPassedTests} passed, ${failed} failed${skipped === 0 ? '' : `, ${skipped} skipped`}`);
  if (counts.numPassedTests === 0 && process.exitCode === 0) process.exitCode = 1;
} finally {
  await rm(folder, { recursive: true, force: true });
}
