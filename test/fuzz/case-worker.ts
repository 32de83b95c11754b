import { parentPort } from 'node:worker_threads';
import type { Case } from './cases.ts';
import type { Outcome } from './outcome.ts';
import { runPythonCase } from './python-case.ts';
import { runYamlCase } from './yaml-case.ts';

/*
 * Runs one case after the other, in a thread of its own, so that one that never ends can be ended. While a case runs the
 * port does not keep the thread alive: a promise that nothing will ever settle ends the thread, which is how it shows.
 */
parentPort?.on('message', async (one: Case) => {
  parentPort?.unref();
  const outcome = await run(one);
  parentPort?.ref();
  parentPort?.postMessage(outcome);
});

async function run(one: Case): Promise<Outcome> {
  try {
    return one.kind === 'yaml' ? await runYamlCase(one.text) : await runPythonCase(one.text, one.flow);
  } catch (error) {
    return { kind: 'defect', words: error instanceof Error ? (error.stack ?? error.message) : String(error) };
  }
}
