import { isJsonObject, type JsonObject } from '@slipway/prefect/json';
import { problemsOf } from '../problem.ts';
import { prepare } from './prepare.ts';
import { makeDirectory, type TestSettings, testContext } from './testing-run.ts';

export const SHELL = 'prefect.deployments.steps.run_shell_script';
export const CHANGE = 'prefect.deployments.steps.set_working_directory';
export const BUILD = 'prefect_docker.deployments.steps.build_docker_image';
export const PUSH = 'prefect_docker.deployments.steps.push_docker_image';

/** Prepares every deployment of a prefect.yaml, in an empty directory unless another is given. */
export async function prepared(text: string, settings: TestSettings = {}) {
  const directory = settings.directory ?? (await makeDirectory());
  const context = await testContext({ text, ...settings, directory });
  const entries = await prepare(context.project.entries, context);
  return { context, directory, entries, outputs: entries[0]?.outputs, logged: context.world.logged };
}

/** Why a prefect.yaml cannot be prepared, each as `line:column message`. */
export async function problemsIn(text: string, settings: TestSettings = {}): Promise<string[]> {
  const thrown = await prepared(text, settings).catch((error: unknown) => error);
  const problems = problemsOf(thrown);
  if (problems === undefined) throw thrown;
  return problems.map(({ where, message }) => `${where?.line}:${where?.column} ${message}`);
}

/** Outputs without those that are there before the first step. */
export function ofSteps(outputs: JsonObject): JsonObject {
  const { slipway, ...rest } = outputs;
  const own = slipway !== undefined && isJsonObject(slipway) ? slipway : {};
  return Object.fromEntries(Object.entries(rest).filter(([name, value]) => own[name] !== value));
}
