import { relative } from 'node:path';
import { Problem } from '../problem.ts';
import type { Position } from '../project/model.ts';
import { registryHost } from '../registry/repository.ts';
import { type Evidence, readEvidence } from './evidence.ts';
import { type Facts, ruleFor } from './failure-rules.ts';
import type { ImagePlan } from './model.ts';

/** Why a build or push failed, and whether the same again may help. */
export interface BuildFailure {
  readonly problem: Problem;
  /**
   * `transient`: the registry was overloaded or the connection to it broke, worth another try, layers are cached.
   * `sign-in lost`: the credentials, good before the build, were refused: worth another try with new ones.
   */
  readonly kind: 'lasting' | 'transient' | 'sign-in lost';
}

/**
 * The cause of a failed build and what to do, pure (rig-action.md §C.2, §D; anchors/action.md §4.8).
 *
 * @param lines the last lines of output, oldest first.
 * @param root the repository's root: the Dockerfile's place is told relative to it.
 * @param dockerfile the Dockerfile's text, to find the line of a step that an old BuildKit does not point at.
 */
export function explainBuildFailure(
  plan: ImagePlan,
  lines: readonly string[],
  root: string,
  dockerfile: string,
): BuildFailure {
  const evidence = readEvidence(lines);
  const facts: Facts = {
    plan,
    lines,
    error: evidence.error,
    host: registryHost(plan.repository),
    name: `${plan.repository}:${plan.tags[0]}`,
    subject: evidence.phase.kind === 'base image' ? evidence.phase.image : '',
    step: evidence.phase.kind === 'instruction' ? evidence.phase.text : '',
  };
  const { say, kind = 'lasting' } = ruleFor(evidence);
  const [message, remedy] = say(facts, (pattern) => pattern.exec(evidence.error)?.[1] ?? '');
  const where = placeOf(plan, evidence, root, dockerfile);
  return { problem: new Problem(message, { remedy, ...(where === undefined ? {} : { where }) }), kind };
}

/**
 * The place in the Dockerfile. A generated one nobody can open, so the step that asked for the image is named; so too
 * when the Dockerfile stands outside the repository, or the failure belongs to no line of it.
 */
function placeOf(plan: ImagePlan, evidence: Evidence, root: string, dockerfile: string): Position | undefined {
  if (plan.dockerfile.kind !== 'file') return plan.where;
  const file = relative(root, plan.dockerfile.path).replaceAll('\\', '/');
  const line =
    evidence.line ?? (evidence.phase.kind === 'instruction' ? lineOf(evidence.phase.text, dockerfile) : undefined);
  return line === undefined || file.startsWith('..') ? plan.where : { file, line, column: 1 };
}

/** The first line that begins the instruction: BuildKit joins continued lines, so the line is a beginning of its text. */
function lineOf(instruction: string, dockerfile: string): number | undefined {
  const lines = dockerfile.split(/\r?\n/).map((line) => line.replace(/\\\s*$/, '').trim());
  const index = lines.findIndex((line) => line !== '' && instruction.toLowerCase().startsWith(line.toLowerCase()));
  return index === -1 ? undefined : index + 1;
}
