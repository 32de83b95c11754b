import { type ActionCode, runStep } from '../../journey/runner.ts';
import type { PrefectEnvironment } from '../../rig/builds/prefect-environment.ts';
import type { Checkout, Project } from './project.ts';
import { requestOf } from './request.ts';

export interface Outcome {
  readonly succeeded: boolean;
  readonly log: string;
}

/** Deploys what is checked out to a server. */
export type Side = (project: Project, checkout: Checkout, apiUrl: string) => Promise<Outcome>;

/** The action, as a runner starts it. @param code what runs; absent: dist/. */
export function actionSide(environment: Pick<PrefectEnvironment, 'folder'>, code?: ActionCode): Side {
  return async (project, checkout, apiUrl) => {
    const request = requestOf(project, checkout, environment, project.python);
    const inputs = {
      'prefect-api-url': apiUrl,
      mode: 'deploy',
      ...(project.names === undefined ? {} : { deployments: project.names.join('\n') }),
      ...(project.prefectFile === undefined ? {} : { 'prefect-file': project.prefectFile }),
    };
    const result = await runStep({ ...request, inputs, ...(code === undefined ? {} : { code }) });
    return { succeeded: result.exitCode === 0, log: result.log };
  };
}
