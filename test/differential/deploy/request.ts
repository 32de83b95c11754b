import { join } from 'node:path';
import type { StepRequest } from '../../journey/runner.ts';
import type { PrefectEnvironment } from '../../rig/builds/prefect-environment.ts';
import type { Checkout, Project } from './project.ts';

/** What a workflow gives either side. @param python whether the locked Prefect's programs are on the PATH. */
export function requestOf(
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
