import { isJsonObject, type JsonObject } from '@slipway/prefect/json';
import { type ReferenceReaders, resolveReferences } from '@slipway/prefect/template';
import { renderJobConfiguration } from '@slipway/prefect/workpool';
import type { ClaimId } from '../ids.ts';
import { withLetters } from './letters.ts';
import { type JobManifest, type RenderSettings, render } from './render.ts';
import { RenderError } from './render-error.ts';
import type { RunContext } from './run-context.ts';

export interface JobSettings extends RenderSettings {
  /** What `{{ $NAME }}` in a template reads, where that is not all that Prefect's settings come from. */
  readonly templateEnv?: RenderSettings['env'];
}

/**
 * The Job of a run, from the pool's template to what is sent: job variables merged, placeholders filled, blocks and
 * variables read, the manifest prepared (contracts/worker.md §4.4–4.8).
 *
 * @param template the pool's base job template as it is now.
 * @param onSecret told of every text that comes out of a block.
 * @throws RenderError, JobVariablesError or TemplateError for what a person has to change; what the readers throw.
 */
export async function makeJob(
  template: JsonObject,
  context: RunContext,
  claim: ClaimId,
  settings: JobSettings,
  readers: ReferenceReaders,
  onSecret: (text: string) => void = () => undefined,
): Promise<JobManifest> {
  const templated = renderJobConfiguration({
    template,
    deploymentVariables: context.deployment?.job_variables ?? {},
    runVariables: context.run.job_variables ?? {},
    env: settings.templateEnv ?? settings.env,
  });
  const configuration = await resolveReferences(templated, readers, { onSecret });
  if (!isJsonObject(configuration)) throw new RenderError('The work pool’s job_configuration is not a mapping.');
  return await withLetters(() => render(configuration, context, claim, settings));
}
