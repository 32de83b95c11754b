import { dockerEnvironment } from '../docker-environment.ts';
import { Problem } from '../problem.ts';
import type { Exec } from '../world.ts';
import { ExecNotStarted, ExecTimeout } from '../world.ts';

/** What the builder that will be used can do. */
export interface Builder {
  readonly name: string;
  /** `docker`, `docker-container`, `kubernetes`, `remote`, `cloud`. */
  readonly driver: string;
  /** False for classic dockerd, whose image store knows no rewriting of times. */
  readonly rewritesTimestamps: boolean;
  /** `linux/amd64`: what it builds when no platform is named; undefined when it does not say. */
  readonly platform: string | undefined;
}

export interface PreflightOptions {
  /** undefined: the current one. */
  readonly builder: string | undefined;
  readonly env: Readonly<Record<string, string>>;
  readonly exec: Exec;
  readonly cwd: string;
  readonly signal: AbortSignal;
}

const DEADLINE_MS = 60_000;

/**
 * Asks docker for its builder before anything is built, so that what is missing on this machine has a name.
 *
 * @throws Problem: docker is not there, its buildx is not there, its daemon does not run, or the builder is unknown.
 */
export async function checkBuilder(options: PreflightOptions): Promise<Builder> {
  const args = ['buildx', 'inspect', ...(options.builder === undefined ? [] : [options.builder])];
  const { cwd, env, exec, signal } = options;
  try {
    const result = await exec('docker', args, { cwd, env: dockerEnvironment(env), signal, timeoutMs: DEADLINE_MS });
    return readInspection(result, options.builder);
  } catch (error) {
    if (error instanceof ExecNotStarted) {
      throw new Problem('docker is not on the PATH, and the image is built with it', {
        remedy:
          'Run the job on a runner with Docker (GitHub’s ubuntu runners have it), or install Docker with its buildx plugin.',
        cause: error,
      });
    }
    if (error instanceof ExecTimeout) {
      throw new Problem(`the builder ${options.builder ?? ''} does not answer: ${error.message}`, {
        remedy: 'Look at it with `docker buildx ls`, and start or remove it.',
        cause: error,
      });
    }
    throw error;
  }
}

/** The judgement alone, pure: what `docker buildx inspect` said. @throws Problem as above. */
export function readInspection(
  result: { readonly exitCode: number; readonly stdout: string; readonly stderr: string },
  builder: string | undefined,
): Builder {
  const field = (name: string) => new RegExp(`^${name}:[ \\t]+(\\S.*)$`, 'm').exec(result.stdout)?.[1]?.trim();
  const name = field('Name') ?? builder ?? 'default';
  const driver = field('Driver');
  const failure = field('Error');
  if (result.exitCode === 0 && driver !== undefined && failure === undefined) {
    // Nobody starts a remote builder but its owner; the other drivers start theirs when a build comes.
    if (driver === 'remote' && field('Status') === 'inactive')
      throw unusable(name, `nothing answers at ${field('Endpoint')}`);
    const isClassic = driver === 'docker' && !result.stdout.includes('org.mobyproject.buildkit.worker.snapshotter');
    return { name, driver, rewritesTimestamps: !isClassic, platform: field('Platforms')?.split(/[*,]/)[0] };
  }
  const said = failure ?? lastLine(result.stderr) ?? lastLine(result.stdout) ?? `exit code ${result.exitCode}`;
  const all = `${result.stdout}\n${result.stderr}`;
  if (/unknown command: docker buildx|'buildx' is not a docker command/.test(all)) {
    throw new Problem('docker has no buildx plugin, and the image is built with it', {
      remedy:
        'Use docker/setup-buildx-action before this step, or install the plugin (package docker-buildx-plugin or docker-buildx).',
    });
  }
  if (/permission denied while trying to connect/i.test(all)) {
    throw new Problem('this user may not speak to the Docker daemon', {
      remedy: 'Add the runner’s user to the group docker, or let DOCKER_HOST name a daemon it may use.',
    });
  }
  if (driver === undefined && /cannot connect to the docker daemon|failed to connect to the docker API/i.test(all)) {
    throw new Problem(`the Docker daemon does not answer: ${said}`, {
      remedy: 'Start the Docker daemon, or let DOCKER_HOST name one that runs.',
    });
  }
  if (/no builder "[^"]*" found/.test(all)) {
    throw new Problem(`there is no builder ${JSON.stringify(builder)}`, {
      remedy:
        'Create it with docker/setup-buildx-action or `docker buildx create --name`, or leave the input `builder` out.',
    });
  }
  throw unusable(name, said);
}

function unusable(builder: string, reason: string): Problem {
  return new Problem(`the builder ${builder} cannot be used: ${reason}`, {
    remedy: 'Look at it with `docker buildx inspect`, and start, repair or remove it.',
  });
}

function lastLine(text: string): string | undefined {
  return text.trim().split('\n').at(-1)?.trim() || undefined;
}
