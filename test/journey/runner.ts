import { spawn } from 'node:child_process';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parse } from 'yaml';
import * as z from 'zod';

const ROOT = resolve(import.meta.dirname, '../..');

const ActionFile = z.object({
  inputs: z.record(z.string(), z.object({ default: z.string().optional() })),
  runs: z.object({ main: z.string(), post: z.string() }),
});

/** What a runner starts: the step itself, and what comes after the job. */
export interface ActionCode {
  readonly main: string;
  readonly post: string;
}

/** What a workflow gives a step, as far as a JavaScript action sees it. */
export interface StepRequest {
  /** The repository's checkout, GITHUB_WORKSPACE. */
  readonly workspace: string;
  readonly sha: string;
  /** `with:`; what is not written gets action.yml's default. */
  readonly inputs: Readonly<Record<string, string>>;
  /** `env:` and secrets exported by the workflow. */
  readonly env: Readonly<Record<string, string>>;
  readonly event?: { readonly name: string; readonly payload: object; readonly ref?: string };
  /** Where the action runs: the command that is put before it; absent: here. */
  readonly entry?: (directory: string) => readonly string[];
  /** Told each line as it comes. */
  readonly onLine?: (line: string) => void;
  /** Paths of the code that runs; absent: dist/, as in a workflow. */
  readonly code?: ActionCode;
  /** Sends the signals of a cancelled job (SIGINT, then what a runner sends) when aborted. */
  readonly cancel?: AbortSignal;
  /** Kills the action without a warning when aborted; post runs all the same, as it does on a runner. */
  readonly kill?: AbortSignal;
}

export interface Annotation {
  readonly level: string;
  readonly message: string;
  readonly properties: Readonly<Record<string, string>>;
}

export interface StepResult {
  readonly exitCode: number;
  /** Everything main and post wrote to stdout and stderr. */
  readonly log: string;
  readonly outputs: Readonly<Record<string, string>>;
  readonly summary: string;
  readonly annotations: readonly Annotation[];
  readonly state: Readonly<Record<string, string>>;
  readonly postExitCode: number;
  /** Names left in RUNNER_TEMP after post. */
  readonly leftovers: readonly string[];
  /** Every file that main and post left behind outside the workspace, the runner's own among them: path → text. */
  readonly files: Readonly<Record<string, string>>;
}

/**
 * Runs the bundled action as GitHub's runner does: a fresh environment, inputs as INPUT_ variables with the defaults of
 * action.yml, an event file, the five GITHUB_ files, main, then post with the state that main left.
 */
export async function runStep(request: StepRequest): Promise<StepResult> {
  const action = await readActionFile();
  const folder = await mkdtemp(join(tmpdir(), 'slipway-runner-'));
  try {
    const env = await runnerEnvironment(request, folder);
    const lines: string[] = [];
    const onLine = (line: string): void => {
      lines.push(line);
      request.onLine?.(line);
    };
    const { main, post } = request.code ?? action.runs;
    const exitCode = await runEntry(main, env, request, onLine);
    const state = fileCommands(await readFile(env.GITHUB_STATE ?? '', 'utf8'));
    const stateEnv = Object.fromEntries(Object.entries(state).map(([key, value]) => [`STATE_${key}`, value]));
    const postExitCode = await runEntry(
      post,
      { ...env, ...stateEnv },
      { ...request, cancel: undefined, kill: undefined },
      onLine,
    );
    return {
      exitCode,
      log: lines.join('\n'),
      outputs: fileCommands(await readFile(env.GITHUB_OUTPUT ?? '', 'utf8')),
      summary: await readFile(env.GITHUB_STEP_SUMMARY ?? '', 'utf8'),
      annotations: lines.flatMap(annotationOf),
      state,
      postExitCode,
      leftovers: await readdir(env.RUNNER_TEMP ?? ''),
      files: await readFiles(folder),
    };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function readFiles(folder: string): Promise<Record<string, string>> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  return Object.fromEntries(
    await Promise.all(files.map(async (file) => [file, await readFile(file, 'utf8')] as const)),
  );
}

/** The whole environment in which a runner starts main, with the files it names in a folder of its own. */
export async function runnerEnvironment(request: StepRequest, folder: string): Promise<Record<string, string>> {
  const action = await readActionFile();
  const temp = join(folder, 'temp');
  await mkdir(temp);
  const files = Object.fromEntries(
    ['GITHUB_OUTPUT', 'GITHUB_STATE', 'GITHUB_ENV', 'GITHUB_PATH', 'GITHUB_STEP_SUMMARY'].map((name) => [
      name,
      join(folder, name),
    ]),
  );
  for (const file of Object.values(files)) await writeFile(file, '');
  const event = request.event ?? pushEvent(request.sha);
  const eventFile = join(folder, 'event.json');
  await writeFile(eventFile, JSON.stringify(event.payload));
  return {
    PATH: process.env.PATH ?? '',
    HOME: folder,
    LANG: 'C.UTF-8',
    CI: 'true',
    ...files,
    ...contextVariables(request, event, eventFile),
    RUNNER_TEMP: temp,
    RUNNER_OS: 'Linux',
    RUNNER_ARCH: 'X64',
    ...request.env,
    ...inputVariables(action.inputs, request.inputs),
  };
}

async function readActionFile(): Promise<z.infer<typeof ActionFile>> {
  return ActionFile.parse(parse(await readFile(join(ROOT, 'action.yml'), 'utf8')));
}

function pushEvent(sha: string): Required<StepRequest>['event'] {
  const repository = { name: 'hello', full_name: 'acme/hello', owner: { login: 'acme' }, default_branch: 'main' };
  return {
    name: 'push',
    ref: 'refs/heads/main',
    payload: { ref: 'refs/heads/main', after: sha, deleted: false, repository },
  };
}

/** A pull request of this very repository, or of a fork. */
export function pullRequestEvent(sha: string, fork = false): Required<StepRequest>['event'] {
  const repository = { name: 'hello', full_name: 'acme/hello', owner: { login: 'acme' }, default_branch: 'main' };
  const head = { ref: 'feature', sha, repo: { full_name: fork ? 'mallory/hello' : 'acme/hello', fork } };
  return {
    name: 'pull_request',
    ref: 'refs/pull/7/merge',
    payload: {
      action: 'opened',
      number: 7,
      pull_request: { number: 7, head, base: { ref: 'main', repo: repository } },
      repository,
    },
  };
}

function contextVariables(
  request: StepRequest,
  event: Required<StepRequest>['event'],
  eventFile: string,
): Record<string, string> {
  const ref = event.ref ?? 'refs/heads/main';
  return {
    GITHUB_ACTIONS: 'true',
    GITHUB_ACTION: '__slipway',
    GITHUB_ACTOR: 'ford',
    GITHUB_API_URL: 'https://api.github.com',
    GITHUB_BASE_REF: event.name === 'pull_request' ? 'main' : '',
    GITHUB_EVENT_NAME: event.name,
    GITHUB_EVENT_PATH: eventFile,
    GITHUB_HEAD_REF: event.name === 'pull_request' ? 'feature' : '',
    GITHUB_JOB: 'deploy',
    GITHUB_REF: ref,
    GITHUB_REF_NAME: ref.replace(/^refs\/(heads|tags|pull)\//, ''),
    GITHUB_REF_TYPE: 'branch',
    GITHUB_REPOSITORY: 'acme/hello',
    GITHUB_REPOSITORY_OWNER: 'acme',
    GITHUB_RUN_ATTEMPT: '1',
    GITHUB_RUN_ID: '4711',
    GITHUB_RUN_NUMBER: '42',
    GITHUB_SERVER_URL: 'https://github.com',
    GITHUB_SHA: request.sha,
    GITHUB_WORKFLOW: 'Deploy flows',
    GITHUB_WORKSPACE: request.workspace,
  };
}

function inputVariables(
  declared: Readonly<Record<string, { default?: string | undefined }>>,
  given: Readonly<Record<string, string>>,
): Record<string, string> {
  const unknown = Object.keys(given).filter((name) => !(name in declared));
  if (unknown.length > 0) throw new Error(`action.yml has no input ${unknown.join(', ')}`);
  const token = /^\$\{\{ *github\.token *\}\}$/;
  return Object.fromEntries(
    Object.entries(declared).map(([name, input]) => [
      `INPUT_${name.replaceAll(' ', '_').toUpperCase()}`,
      given[name] ?? (input.default ?? '').replace(token, 'ghs_notarealtoken'),
    ]),
  );
}

/** How long a runner waits after each signal of a cancelled job. */
const CANCEL_SIGNALS = [
  { signal: 'SIGINT', afterMs: 0 },
  { signal: 'SIGTERM', afterMs: 7_500 },
  { signal: 'SIGKILL', afterMs: 10_000 },
] as const;

async function runEntry(
  entry: string,
  env: Record<string, string>,
  request: Pick<StepRequest, 'workspace' | 'entry'> & {
    readonly cancel?: AbortSignal | undefined;
    readonly kill?: AbortSignal | undefined;
  },
  onLine: (line: string) => void,
): Promise<number> {
  return await new Promise<number>((done, failed) => {
    const program = [...(request.entry?.(request.workspace) ?? []), process.execPath, resolve(ROOT, entry)];
    const child = spawn(program[0] ?? '', program.slice(1), {
      cwd: request.workspace,
      env,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const timers: NodeJS.Timeout[] = [];
    const onCancel = (): void => {
      for (const { signal, afterMs } of CANCEL_SIGNALS) timers.push(setTimeout(() => child.kill(signal), afterMs));
    };
    const onKill = (): void => void child.kill('SIGKILL');
    request.cancel?.addEventListener('abort', onCancel, { once: true });
    request.kill?.addEventListener('abort', onKill, { once: true });
    for (const stream of [child.stdout, child.stderr]) {
      let rest = '';
      stream.setEncoding('utf8').on('data', (text: string) => {
        const parts = (rest + text).split('\n');
        rest = parts.pop() ?? '';
        parts.forEach(onLine);
      });
      stream.on('end', () => rest !== '' && onLine(rest));
    }
    child.on('error', failed);
    child.on('close', (code) => {
      request.cancel?.removeEventListener('abort', onCancel);
      request.kill?.removeEventListener('abort', onKill);
      timers.forEach(clearTimeout);
      done(code ?? 128);
    });
  });
}

/** The `key<<delimiter … delimiter` and `key=value` forms of the GITHUB_ files; the last value of a key counts. */
function fileCommands(text: string): Record<string, string> {
  const values: Record<string, string> = {};
  const lines = text.split('\n');
  for (let index = 0; index < lines.length; index += 1) {
    const heredoc = /^(.+?)<<(.+)$/.exec(lines[index] ?? '');
    if (heredoc?.[1] !== undefined) {
      const end = lines.indexOf(heredoc[2] ?? '', index + 1);
      values[heredoc[1]] = lines.slice(index + 1, end).join('\n');
      index = end;
      continue;
    }
    const pair = /^([^=]+)=(.*)$/.exec(lines[index] ?? '');
    if (pair?.[1] !== undefined) values[pair[1]] = pair[2] ?? '';
  }
  return values;
}

function annotationOf(line: string): Annotation[] {
  const command = /^::(error|warning|notice)(?: ([^:]*(?:%3A[^:]*)*))?::(.*)$/.exec(line);
  if (command === null) return [];
  const decode = (text: string): string =>
    text
      .replaceAll('%0D', '\r')
      .replaceAll('%0A', '\n')
      .replaceAll('%3A', ':')
      .replaceAll('%2C', ',')
      .replaceAll('%25', '%');
  const pairs = (command[2] ?? '').split(',').flatMap((pair) => {
    const at = pair.indexOf('=');
    return at === -1 ? [] : [[pair.slice(0, at), decode(pair.slice(at + 1))] as const];
  });
  return [{ level: command[1] ?? '', message: decode(command[3] ?? ''), properties: Object.fromEntries(pairs) }];
}
