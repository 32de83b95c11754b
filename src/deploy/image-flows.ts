import { relative, resolve } from 'node:path';
import { askImages } from '../flow/image/ask.ts';
import { codePlace } from '../flow/image/code-place.ts';
import type { SignIn } from '../flow/image/container.ts';
import { judgeAnswer } from '../flow/image/judge.ts';
import { type SchemaPolicy, schemaSource } from '../flow/image/source.ts';
import type { Flow } from '../flow/index.ts';
import { Problem, throwIfAny } from '../problem.ts';
import type { Position } from '../project/model.ts';
import { placeOf } from '../project/place.ts';
import type { World } from '../world.ts';
import type { ReadyEntry } from './desired.ts';
import type { DesiredDeployment } from './model.ts';

export interface ImageFlowOptions {
  readonly world: World;
  readonly policy: SchemaPolicy;
  readonly mode: 'plan' | 'deploy';
  /** The project's directory and the repository's root, absolute. */
  readonly directory: string;
  readonly workspace: string;
  readonly signIn: SignIn;
}

/**
 * The flows of the entries, those that the input `schema` wants asked as their images describe them.
 *
 * @param drafts what the entries come to with the flows as they were read, in their order: which image, which pull steps.
 * @throws Problem | Problems with `schema: image`, for each flow that could not be asked.
 */
export async function flowsFromImages(
  entries: readonly ReadyEntry[],
  drafts: readonly DesiredDeployment[],
  options: ImageFlowOptions,
): Promise<Flow[]> {
  const asked = entries.flatMap((entry, index) => {
    const draft = drafts[index];
    if (draft === undefined) return [];
    const { job_variables: variables, pull_steps: pull, entrypoint } = draft.fields;
    const place = codePlace(variables.image, pull, entry.prepared.images);
    const source = schemaSource(options.policy, entry.flow.parameters.kind, place, options.mode);
    const question = source.from === 'image' ? { ...source.place, entrypoint } : undefined;
    return [{ flow: entry.flow, draft, source, question }];
  });
  const questions = asked.flatMap(({ question }) => question ?? []);
  const { world, directory } = options;
  const answers = await askImages(questions, { world, cwd: directory, signIn: options.signIn });

  const problems: Problem[] = [];
  const flows: Flow[] = [];
  for (const { flow, draft, source, question } of asked) {
    const answer = question && answers[questions.indexOf(question)];
    const where = placeOf(draft, 'entrypoint');
    const deployment = draft.name;
    try {
      flows.push(
        judgeAnswer(flow, source, answer, { policy: options.policy, deployment, where, placeOf: inRepository }),
      );
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      if (!problems.some((one) => one.message === error.message)) problems.push(error);
    }
  }
  throwIfAny(problems);
  return flows;

  function inRepository({ file, line }: { readonly file: string; readonly line: number }): Position | undefined {
    const path = relative(options.workspace, resolve(directory, file)).replaceAll('\\', '/');
    return path.startsWith('..') ? undefined : { file: path, line, column: 1 };
  }
}
