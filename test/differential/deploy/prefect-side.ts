import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runnerEnvironment } from '../../journey/runner.ts';
import type { PrefectEnvironment } from '../../rig/builds/prefect-environment.ts';
import type { PrefectCli } from './prefect-cli.ts';
import { requestOf } from './request.ts';
import type { Side } from './sides.ts';

/** The real CLI, with the same environment. */
export function prefectSide(environment: Pick<PrefectEnvironment, 'folder'>, cli: PrefectCli): Side {
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
      const { code, log } = await cli.call(args, checkout.directory, env);
      return { succeeded: code === 0, log };
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  };
}
