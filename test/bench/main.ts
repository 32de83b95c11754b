/**
 * `npm run bench -- deploy` or `npm run bench -- worker`: what ours costs, beside the real Prefect in the same run, and
 * whether the targets are met. The action is dist/, as committed; the worker is built from the sources.
 */
import { DEPLOY_USAGE, deployCommand } from './deploy-command.ts';
import { isOptionError } from './option-error.ts';
import { WORKER_USAGE, workerCommand } from './worker-command.ts';

const USAGE = `usage: ${DEPLOY_USAGE}\n       ${WORKER_USAGE}`;
const COMMANDS = new Map([
  ['deploy', deployCommand],
  ['worker', workerCommand],
]);

const [name = '', ...args] = process.argv.slice(2);
const command = COMMANDS.get(name);
const isHelp = [name, ...args].some((word) => word === '--help' || word === '-h');
if (isHelp || command === undefined) {
  (isHelp ? console.log : console.error)(USAGE);
  process.exitCode = isHelp ? 0 : 2;
} else {
  const stopping = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stopping.abort(new Error(signal)));
  try {
    console.log(`\n${await command(args, stopping.signal)}`);
  } catch (error) {
    if (isOptionError(error)) {
      console.error(`${error.message}\n\n${USAGE}`);
      process.exitCode = 2;
    } else if (stopping.signal.aborted) {
      console.error('interrupted: no table');
      process.exitCode = 130;
    } else throw error;
  }
}
