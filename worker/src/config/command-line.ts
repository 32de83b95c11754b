import { Command, CommanderError, Option } from 'commander';

/** The flags of `start` as written; what they mean is compileConfig's business. */
export interface StartFlags {
  readonly pool?: string;
  readonly name?: string;
  readonly workQueue: readonly string[];
  readonly type?: string;
  readonly prefetchSeconds?: string;
  readonly runOnce: boolean;
  readonly limit?: string;
  readonly withHealthcheck: boolean;
  readonly installPolicy: string;
  readonly baseJobTemplate?: string;
  readonly createPoolIfNotFound: boolean;
  readonly grace?: string;
  readonly maxLiveJobs?: string;
}

/** What a command line asks for. */
export type Invocation =
  | { readonly kind: 'start'; readonly flags: StartFlags }
  /** Text that was asked for: help, version. */
  | { readonly kind: 'print'; readonly text: string }
  /** A command line that cannot be followed. 2: not understood, 1: understood and refused, as in Prefect 3.8.8. */
  | { readonly kind: 'refuse'; readonly text: string; readonly exitCode: 1 | 2 };

/**
 * Reads a command line: `start …`, or `worker start …` as Prefect's own command has it (contracts/worker.md §1.1), so
 * that the official chart's arguments work unchanged. Commands that do not exist yet are refused by name.
 *
 * @param args without the program's own name.
 * @param program the name the program was called by, for help and errors.
 */
export function parseCommandLine(args: readonly string[], program: string, version: string): Invocation {
  let printed = '';
  let complaint = '';
  let result: Invocation | undefined;
  const root = quiet(new Command(program))
    .description('Runs the flow runs of a Prefect work pool as Kubernetes Jobs.')
    .version(version, '--version', 'Print the version.')
    .helpCommand(false);
  const start = (command: Command) =>
    withStartOptions(command).action((flags: StartFlags) => {
      result = { kind: 'start', flags };
    });
  start(quiet(root.command('start')).description('Start the worker.'));
  const worker = quiet(root.command('worker')).description('The same, under the name that prefect gives it.');
  start(quiet(worker.command('start')).description('Start the worker.'));
  for (const [name, parent, instead] of LATER) {
    quiet(parent === 'worker' ? worker.command(name, { hidden: true }) : root.command(name, { hidden: true }))
      .allowUnknownOption()
      .allowExcessArguments()
      .helpOption(false)
      .action(() => {
        const text = `"${parent === 'worker' ? 'worker ' : ''}${name}" is not part of this worker yet. ${instead}`;
        result = { kind: 'refuse', text, exitCode: 1 };
      });
  }
  try {
    root.parse([...args], { from: 'user' });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (error.exitCode === 0) return { kind: 'print', text: printed.trimEnd() };
    return { kind: 'refuse', text: (complaint || printed).trimEnd(), exitCode: 2 };
  }
  return result ?? { kind: 'print', text: root.helpInformation().trimEnd() };

  function quiet(command: Command): Command {
    return command.exitOverride().configureOutput({
      writeOut: (text) => {
        printed += text;
      },
      writeErr: (text) => {
        complaint += text;
      },
    });
  }
}

/** Commands with a place in the design that have no code behind them yet. */
const LATER: readonly (readonly [name: string, parent: 'root' | 'worker', instead: string])[] = [
  ['render', 'root', 'Look at the Job that a run got: kubectl get job -l prefect.io/flow-run-id=<id> -o yaml'],
  ['doctor', 'root', 'Start the worker with PREFECT_WORKER_DEBUG_MODE=true: it names what it lacks.'],
  ['work-pool', 'root', "Use Prefect's own command line for it: pip install prefect."],
];

function withStartOptions(command: Command): Command {
  return command
    .option('-p, --pool <name>', 'The work pool to take runs from.')
    .option('-n, --name <name>', 'The name of this worker; a new one at each start when left out.')
    .option('-q, --work-queue <name>', 'Take runs from this queue only; may be repeated.', collect, [])
    .option('-t, --type <type>', 'The type of the worker; only "kubernetes" exists here.')
    .option('--prefetch-seconds <seconds>', 'How far to look ahead for runs [env: PREFECT_WORKER_PREFETCH_SECONDS].')
    .option('--run-once', 'Poll once, submit what is due, and end.', false)
    .addOption(new Option('--no-run-once').hideHelp())
    .option('-l, --limit <runs>', 'At most this many runs are being submitted at one time.')
    .option('--with-healthcheck', 'Serve /health, /livez, /readyz and /metrics.', false)
    .addOption(new Option('--no-with-healthcheck').hideHelp())
    .addOption(
      new Option('--install-policy <policy>', 'Accepted for compatibility: there is nothing to install.')
        .choices(['always', 'if-not-present', 'never', 'prompt'])
        .default('prompt'),
    )
    .option('--base-job-template <file>', 'JSON file with the template for the pool, if it has to be created.')
    .option('--create-pool-if-not-found', 'Create the work pool when there is none.', true)
    .option('--no-create-pool-if-not-found', 'Wait for the pool instead of creating it.')
    .option('--grace <seconds>', 'Time to finish or hand back runs after SIGTERM.')
    .option('--max-live-jobs <jobs>', 'At most this many unfinished Jobs of the pool exist at one time.')
    .addOption(new Option('--prompt').hideHelp())
    .addOption(new Option('--no-prompt').hideHelp());
}

function collect(value: string, all: readonly string[]): string[] {
  return [...all, value];
}
