import { Command, CommanderError, InvalidArgumentError, Option } from 'commander';

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

export interface RenderFlags {
  /** A run's id, a deployment's id, `flow/deployment`, or a deployment's name. */
  readonly target: string;
  readonly name?: string;
  readonly output: 'yaml' | 'json';
  readonly origins: boolean;
}

export interface DoctorFlags {
  readonly pool?: string;
  readonly json: boolean;
}

/** What `work-pool` is to do; paths are of JSON files. */
export type WorkPoolFlags =
  | { readonly action: 'inspect'; readonly pool: string; readonly output?: 'json' }
  | {
      readonly action: 'update';
      readonly pool: string;
      readonly baseJobTemplate?: string;
      readonly concurrencyLimit?: number;
      readonly description?: string;
    }
  | {
      readonly action: 'create';
      readonly pool: string;
      readonly type?: string;
      readonly baseJobTemplate?: string;
      readonly paused: boolean;
      readonly overwrite: boolean;
    };

/** What a command line asks for. */
export type Invocation =
  | ((
      | { readonly kind: 'start'; readonly flags: StartFlags }
      | { readonly kind: 'render'; readonly flags: RenderFlags }
      | { readonly kind: 'doctor'; readonly flags: DoctorFlags }
      | { readonly kind: 'work-pool'; readonly flags: WorkPoolFlags }
    ) & {
      /** The profile to read settings from, in the place of PREFECT_PROFILE. */
      readonly profile?: string;
    })
  /** Text that was asked for: help, version. */
  | { readonly kind: 'print'; readonly text: string }
  /** A command line that is not understood: exit code 2. */
  | { readonly kind: 'refuse'; readonly text: string };

/**
 * Reads a command line: `start …`, or `worker start …` and `work-pool …` as Prefect's own command has them
 * (contracts/worker.md §1.1, §7.5), so that the official chart's arguments work unchanged.
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
    .option('-p, --profile <name>', 'The Prefect profile to read settings from [env: PREFECT_PROFILE].')
    .addOption(new Option('--prompt').hideHelp())
    .addOption(new Option('--no-prompt').hideHelp())
    // What stands behind a command is that command's: -p is its pool.
    .enablePositionalOptions()
    .helpCommand(false);
  const profile = () => {
    const { profile: name } = root.opts<{ profile?: string }>();
    return name === undefined ? {} : { profile: name };
  };
  const start = (command: Command) =>
    withStartOptions(command).action((flags: StartFlags) => {
      result = { kind: 'start', flags, ...profile() };
    });
  start(quiet(root.command('start')).description('Start the worker.'));
  const worker = quiet(root.command('worker')).description('The same, under the name that prefect gives it.');
  start(quiet(worker.command('start')).description('Start the worker.'));
  withRenderOptions(quiet(root.command('render'))).action((target: string, flags: Omit<RenderFlags, 'target'>) => {
    result = { kind: 'render', flags: { target, ...flags }, ...profile() };
  });
  withDoctorOptions(quiet(root.command('doctor'))).action((flags: DoctorFlags) => {
    result = { kind: 'doctor', flags, ...profile() };
  });
  const workPool = quiet(root.command('work-pool')).description('Look at, change or create a work pool.');
  for (const [action, options] of WORK_POOL_ACTIONS) {
    options(quiet(workPool.command(action))).action((pool: string, flags: object) => {
      result = { kind: 'work-pool', flags: { action, pool, ...flags } as WorkPoolFlags, ...profile() };
    });
  }
  try {
    root.parse([...args], { from: 'user' });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (error.exitCode === 0) return { kind: 'print', text: printed.trimEnd() };
    return { kind: 'refuse', text: (complaint || printed).trimEnd() };
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

function withRenderOptions(command: Command): Command {
  return command
    .description('Show the Job that a run gets, or that a run of a deployment would get. Writes nothing.')
    .argument('<deployment-or-run>', 'A run’s id, a deployment’s id, flow/deployment, or a deployment’s name.')
    .option('-n, --name <name>', 'The name of the worker that would make it.')
    .addOption(new Option('-o, --output <format>', 'How to write it.').choices(['yaml', 'json']).default('yaml'))
    .option('--origins', 'Say of each value where it comes from.', false)
    .addHelpText(
      'after',
      '\nOrigins: template; default, deployment or run with the job variable; worker with the setting; slipway for what\n' +
        'the worker makes itself. What comes out of blocks, and the worker’s credentials, are shown as ********.',
    );
}

function withDoctorOptions(command: Command): Command {
  return command
    .description('Check that a worker can work here: Prefect API, work pool, permissions, clocks, image pull secrets.')
    .option('-p, --pool <name>', 'The work pool it would take runs from.')
    .option('--json', 'Write the findings as JSON.', false)
    .addHelpText('after', '\nExits with 1 when something that a worker needs is missing.');
}

const template = '--base-job-template <file>';

const WORK_POOL_ACTIONS: readonly (readonly [WorkPoolFlags['action'], (command: Command) => Command])[] = [
  [
    'inspect',
    (command) =>
      command
        .description('Print a work pool as JSON.')
        .argument('<name>')
        .addOption(new Option('-o, --output <format>', 'Only json exists.').choices(['json'])),
  ],
  [
    'update',
    (command) =>
      command
        .description('Change a work pool: only what is given here.')
        .argument('<name>')
        .option(template, 'JSON file with the new template.')
        .option('--concurrency-limit <runs>', 'At most this many runs at one time.', wholeNumber)
        .option('--description <text>', 'The new description.'),
  ],
  [
    'create',
    (command) =>
      command
        .description('Create a Kubernetes work pool.')
        .argument('<name>')
        .option('-t, --type <type>', 'The type of the pool; only "kubernetes" is known here.')
        .option(template, 'JSON file with the template; Prefect’s default when left out.')
        .option('--paused', 'Create it paused.', false)
        .option('--overwrite', 'Change the pool when it exists.', false),
  ],
];

function wholeNumber(text: string): number {
  if (/^\d+$/.test(text)) return Number(text);
  throw new InvalidArgumentError('It must be a whole number.');
}

function withStartOptions(command: Command): Command {
  return command
    .option('-p, --pool <name>', 'The work pool to take runs from.')
    .option('-n, --name <name>', 'The name of this worker; a new one at each start when left out.')
    .option(
      '-q, --work-queue <name>',
      'Take runs from this queue only; may be repeated. A * stands for any characters.',
      collect,
      [],
    )
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
