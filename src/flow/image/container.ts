import { type Exec, ExecNotStarted, ExecTimeout } from '../../world.ts';

/** A daemon that can run an image, and what it may take. */
export interface ContainerOptions {
  readonly exec: Exec;
  /** Docker's own environment; nothing of it reaches the container. */
  readonly env: Readonly<Record<string, string>>;
  readonly cwd: string;
  readonly signal: AbortSignal;
  /** Unlike every other container on this machine. */
  readonly name: string;
}

export type Ran =
  | { readonly kind: 'ran'; readonly exitCode: number; readonly stdout: string; readonly stderr: string }
  | { readonly kind: 'cannot'; readonly reason: string; readonly remedy: string };

const INSPECT_MS = 60_000;
const PULL_MS = 600_000;
/** Beyond the program's own deadline: the time to make the container and to remove it. */
const START_MS = 60_000;

/** Docker hands the proxies of its configuration, passwords and all, to every container that does not name its own. */
const NO_PROXIES = ['HTTP_PROXY', 'HTTPS_PROXY', 'FTP_PROXY', 'ALL_PROXY', 'NO_PROXY'].flatMap((name) => [
  '--env',
  `${name}=`,
  '--env',
  `${name.toLowerCase()}=`,
]);

/** Docker's environment with a sign-in to an image's registry, where one is known; closed after use. */
export type SignIn = (
  image: string,
) => Promise<{ readonly env: Readonly<Record<string, string>>; close(): Promise<void> }>;

/**
 * Fetches an image unless Docker's own store has it.
 *
 * @param isOurs built by this run: the store's copy is right. Another image's tag may have moved since it was fetched.
 * @returns why nothing can be run; undefined when the image is there.
 */
export async function fetchImage(
  image: string,
  isOurs: boolean,
  signIn: SignIn,
  options: ContainerOptions,
): Promise<Extract<Ran, { kind: 'cannot' }> | undefined> {
  const found = await docker(['image', 'inspect', '--format', '{{.Id}}', image], INSPECT_MS, options);
  if (found.kind === 'cannot') return found;
  const isFixed = isOurs || image.includes('@sha256:');
  if (found.exitCode === 0 && isFixed) return undefined;
  const { env, close } = await signIn(image);
  const pulled = await docker(['pull', '--quiet', image], PULL_MS, { ...options, env }).finally(close);
  if (pulled.kind === 'cannot') return pulled;
  if (pulled.exitCode === 0 || found.exitCode === 0) return undefined;
  return {
    kind: 'cannot',
    reason: `the image ${image} cannot be fetched: ${lastLine(pulled.stderr)}`,
    remedy: 'Check that the image exists and that this job may pull it (docker/login-action, registry-username).',
  };
}

/**
 * Runs a Python program in an image that is there: no network, no variable or file of this machine, removed at its
 * end. The image's own ENTRYPOINT stays, as it does in Kubernetes, where it may be what finds Python.
 */
export async function runPython(
  image: string,
  program: { readonly text: string; readonly arguments: readonly string[]; readonly stdin: string; seconds: number },
  options: ContainerOptions,
): Promise<Ran> {
  const flags = ['--rm', '--interactive', '--name', options.name, '--network', 'none', '--pull', 'never'];
  const command = ['run', ...flags, '--security-opt', 'no-new-privileges', ...NO_PROXIES, image];
  const python = ['python', '-c', program.text, ...program.arguments];
  const limit = program.seconds * 1000 + START_MS;
  try {
    const ran = await docker([...command, ...python], limit, options, program.stdin);
    return ran.kind === 'cannot' ? ran : explain(image, ran);
  } catch (error) {
    // Ending the client does not end a container whose first process does not mind signals.
    await docker(['rm', '--force', options.name], INSPECT_MS, { ...options, signal: new AbortController().signal });
    throw error;
  }
}

async function docker(
  args: readonly string[],
  timeoutMs: number,
  { exec, env, cwd, signal }: ContainerOptions,
  stdin?: string,
): Promise<Ran> {
  try {
    const ran = await exec('docker', args, { cwd, env, signal, timeoutMs, ...(stdin !== undefined && { stdin }) });
    return unreachable(ran.stderr) ?? { kind: 'ran', ...ran };
  } catch (error) {
    if (error instanceof ExecNotStarted) {
      return { kind: 'cannot', reason: 'docker is not on the PATH', remedy: 'Use a runner with Docker.' };
    }
    if (error instanceof ExecTimeout && args[0] !== 'run') {
      const remedy = 'Look at the Docker daemon and at the connection to the registry.';
      return { kind: 'cannot', reason: error.message, remedy };
    }
    throw error;
  }
}

function unreachable(stderr: string): Extract<Ran, { kind: 'cannot' }> | undefined {
  const found =
    /.*(?:cannot connect to the docker daemon|failed to connect to the docker API|permission denied while trying to connect).*/i.exec(
      stderr,
    );
  if (found === null) return undefined;
  const reason = `no Docker daemon can run images here: ${found[0].trim()}`;
  return { kind: 'cannot', reason, remedy: 'Start the Docker daemon, or let DOCKER_HOST name one that runs.' };
}

/** Docker's own exit codes, and a kernel that cannot run what is in the image. */
function explain(image: string, ran: Extract<Ran, { kind: 'ran' }>): Ran {
  const said = lastLine(ran.stderr);
  if (
    /exec format error|does not match the (?:specified|detected host) platform/i.test(ran.stderr) &&
    ran.exitCode !== 0
  ) {
    const remedy = 'Build for the platform of the runner too, or run the job on a runner of that platform.';
    return { kind: 'cannot', reason: `the image ${image} is for another platform than this machine: ${said}`, remedy };
  }
  if (ran.exitCode === 127 || (ran.exitCode === 126 && /not found|no such file/i.test(ran.stderr))) {
    return {
      kind: 'cannot',
      reason: `the image ${image} has no python on its PATH`,
      remedy: 'Put it on the PATH of the image.',
    };
  }
  if (ran.exitCode === 125 || ran.exitCode === 126) {
    return {
      kind: 'cannot',
      reason: `docker cannot run the image ${image}: ${said}`,
      remedy: 'Try it with `docker run`.',
    };
  }
  return ran;
}

function lastLine(text: string): string {
  return text.trim().split('\n').at(-1)?.trim() || 'it said nothing';
}
