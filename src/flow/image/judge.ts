import { Problem } from '../../problem.ts';
import type { Position } from '../../project/model.ts';
import type { Flow } from '../model.ts';
import type { Answer } from './model.ts';
import type { SchemaPolicy, SchemaSource } from './source.ts';

export interface JudgeOptions {
  readonly policy: SchemaPolicy;
  /** The deployment's name, for messages. */
  readonly deployment: string;
  /** Where its entrypoint is written. */
  readonly where: Position;
  /** A line of the image's code as a place in the repository, when the repository has that file. */
  readonly placeOf: (place: { readonly file: string; readonly line: number }) => Position | undefined;
}

/**
 * The flow with what its image said of it, pure. With `schema: image` nothing less than the image's word will do; with
 * `auto` what was read from the source stays, and the reason is added to those why it is not exact.
 *
 * @throws Problem with `schema: image`, when the image could not be asked or does not know the flow.
 */
export function judgeAnswer(flow: Flow, source: SchemaSource, answer: Answer | undefined, options: JudgeOptions): Flow {
  if (source.from === 'source') return flow;
  if (source.from === 'image at deploy') {
    const { schema } = flow.parameters;
    const hasAllNames = flow.parameters.kind === 'exact' || flow.parameters.hasAllNames;
    return { ...flow, parameters: { kind: 'at deploy', schema, hasAllNames } };
  }
  if (source.from === 'image' && answer?.kind === 'flow' && answer.name === flow.name) {
    const { schema, description, version } = answer;
    return { ...flow, description, version: version ?? flow.version, parameters: { kind: 'exact', schema } };
  }
  const failure = explain(flow, source, answer, options);
  if (options.policy === 'image') throw failure;
  if (flow.parameters.kind !== 'approximate') return flow;
  const reasons = [...flow.parameters.reasons, failure.message];
  return { ...flow, parameters: { ...flow.parameters, reasons } };
}

function explain(flow: Flow, source: SchemaSource, answer: Answer | undefined, options: JudgeOptions): Problem {
  const { deployment, where, policy } = options;
  const otherwise = policy === 'image' ? ' Or use `schema: auto`, which does with what the source says.' : '';
  if (source.from === 'nowhere') {
    return new Problem(
      `deployment ${deployment}: no image can be asked for its parameter schema, as its code ${source.why}`,
      {
        remedy: `Build the flow’s image in this job and name it in work_pool.job_variables.image.${otherwise}`,
        where,
      },
    );
  }
  if (answer?.kind === 'not loaded') {
    const place = answer.place && options.placeOf(answer.place);
    return new Problem(`the flow ${flow.entrypoint} cannot be loaded in its image: ${answer.error}`, {
      remedy: `Its runs would fail likewise: install what lacks in the image, and read secrets and networks inside the flow, not when the module is imported.${otherwise}`,
      where: place ?? where,
    });
  }
  if (answer?.kind === 'flow') {
    return new Problem(
      `the image knows ${flow.entrypoint} as the flow '${answer.name}', the source as '${flow.name}'`,
      {
        remedy: `Does the image hold this commit’s code? Check what the Dockerfile copies, and the set_working_directory pull step.${otherwise}`,
        where,
      },
    );
  }
  const { reason, remedy } = answer ?? { reason: 'it was not asked', remedy: 'Run the job again.' };
  return new Problem(`the image cannot be asked for parameter schemas: ${reason}`, {
    remedy: `${remedy}${otherwise}`,
    where,
  });
}
