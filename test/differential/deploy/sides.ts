import { spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runnerEnvironment, runStep, type StepRequest } from '../../journey/runner.ts';
import type { PrefectEnvironment } from '../../rig/builds/prefect-environment.ts';
import type { Checkout, Project } from './project.ts';

export interface Outcome {
  readonly succeeded: boolean;
  readonly log: string;
}

/** Deploys what is checked out to a server. */
export type Side = (project: Project, checkout: Checkout, apiUrl: string) => Promise<Outcome>;

/** The action, as a runner starts it. */
export function actionSide(environment: Pick<PrefectEnvironment, 'folder'>, from: 'dist' | 'sources'): Side {
  return async (project, checkout, apiUrl) => {
    const request = requestOf(project, checkout, environment, project.python);
    const inputs = {
      'prefect-api-url': apiUrl,
      mode: 'deploy',
      ...(project.names === undefined ? {} : { deployments: project.names.join('\n') }),
      ...(project.prefectFile === undefined ? {} : { 'prefect-file': project.prefectFile }),
    };
    const result = await runStep({ ...request, inputs, from });
    return { succeeded: result.exitCode === 0, log: result.log };
  };
}

/** The real CLI, with the same environment. */
export function prefectSide(environment: PrefectEnvironment, signal: AbortSignal): Side {
  return async (project, checkout, apiUrl) => {
    const folder = await mkdtemp(join(tmpdir(), 'slipway-prefect-'));
    try {
      const runner = await runnerEnvironment(requestOf(project, checkout, environment, true), folder);
      const env = {
        ...Object.fromEntries(Object.entries(runner).filter(([name]) => !name.startsWith('INPUT_'))),
        PREFECT_HOME: join(folder, 'home'),
        PREFECT_API_URL: apiUrl,
        PREFECT_SERVER_ANALYTICS_ENABLED: 'false',
        PYTHONDONTWRITEBYTECODE: '1',
      };
      const args = [
        '--no-prompt',
        'deploy',
        ...(project.prefectFile === undefined ? [] : ['--prefect-file', project.prefectFile]),
        ...(project.names === undefined ? ['--all'] : project.names.flatMap((name) => ['-n', name])),
      ];
      return await runCli(environment.python, ['-m', 'prefect', ...args], checkout.directory, env, signal);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  };
}

function requestOf(
  project: Project,
  checkout: Checkout,
  environment: Pick<PrefectEnvironment, 'folder'>,
  python: boolean,
): StepRequest {
  const path = `${join(environment.folder, 'bin')}:${process.env.PATH ?? ''}`;
  return {
    workspace: checkout.directory,
    sha: checkout.sha,
    inputs: {},
    env: {
      ...(project.git ? {} : { GITHUB_SHA: '', GITHUB_REF_NAME: '' }),
      ...project.env,
      ...(python ? { PATH: path } : {}),
    },
  };
}

async function runCli(
  command: string,
  args: readonly string[],
  cwd: string,
  env: Record<string, string>,
  signal: AbortSignal,
): Promise<Outcome> {
  const child = spawn(command, args, {
    cwd,
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
    signal: AbortSignal.any([signal, AbortSignal.timeout(300_000)]),
  });
  const pieces: string[] = [];
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (piece: string) => pieces.push(piece));
  }
  const code = await new Promise<number | null>((done, failed) => {
    child.on('error', failed);
    child.on('close', done);
  });
  return { succeeded: code === 0, log: pieces.join('') };
}
