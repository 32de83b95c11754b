import { dockerEnvironment } from '../docker-environment.ts';
import { Problem } from '../problem.ts';
import { ExecNotStarted, type World } from '../world.ts';
import { buildxArguments } from './arguments.ts';
import type { BuildLog } from './build-log.ts';
import { explainBuildFailure } from './failure.ts';
import { IDLE_LIMITS, type IdleLimits, IdleWatch } from './idle-watch.ts';
import type { ImagePlan } from './model.ts';
import { OutputLines } from './output.ts';
import type { Builder } from './preflight.ts';

/**
 * One process of `docker buildx build`, shown in the log, and its failure told by kind: the same again may help
 * (TransientFailure), the same again with a new sign-in may help (LostSignIn), or nothing but a person (Problem). A
 * process that writes nothing for too long is ended.
 */
export interface BuildxRun {
  readonly world: World;
  /** Environment of docker's processes: with the isolated Docker configuration when there is one. */
  readonly env: Readonly<Record<string, string>>;
  readonly builder: Builder;
  /** Where what buildx writes is shown. */
  readonly log: BuildLog;
  readonly dockerfilePath: string;
  readonly metadataFile: string;
  readonly idle?: IdleLimits;
}

/** The registry was overloaded or the connection to it broke. */
export class TransientFailure extends Error {
  override readonly name = 'TransientFailure';
  readonly problem: Problem;

  constructor(problem: Problem) {
    super(problem.message);
    this.problem = problem;
  }
}

/** The push was not let in, or stood still, with credentials that were good before the build. */
export class LostSignIn extends Error {
  override readonly name = 'LostSignIn';
  readonly problem: Problem;
  readonly reason: 'refused' | 'stalled';

  constructor(problem: Problem, reason: 'refused' | 'stalled') {
    super(problem.message);
    this.problem = problem;
    this.reason = reason;
  }
}

/** Enough to hold the error with its excerpt of the Dockerfile and a step's last words. */
const KEPT_LINES = 200;
const SHOWN_LINES = 30;

/**
 * Runs buildx to its end.
 *
 * @throws TransientFailure, LostSignIn or Problem; the signal's reason when the job is cancelled. The end of what buildx
 *   wrote stands in the log then.
 */
export async function runBuildx(plan: ImagePlan, run: BuildxRun): Promise<void> {
  const { world } = run;
  const watch = new IdleWatch(run.idle ?? IDLE_LIMITS);
  const last: string[] = [];
  const keep = (line: string): void => {
    watch.take(line);
    last.push(line);
    if (last.length > KEPT_LINES) last.shift();
  };
  const title = `Build ${plan.push ? 'and push ' : ''}${plan.repository}:${plan.tags[0]}`;
  try {
    const exitCode = await run.log.show(title, (onLine) => execute(plan, run, watch.signal, [keep, onLine]));
    if (exitCode === 0) return;
  } catch (error) {
    if (watch.stalled !== undefined && !world.signal.aborted) throw stalledFailure(plan, watch.stalled, error);
    if (error instanceof ExecNotStarted) {
      throw new Problem('docker is not on the PATH, and the image is built with it', {
        remedy: 'Run the job on a runner with Docker, or install Docker with its buildx plugin.',
        cause: error,
      });
    }
    throw error;
  } finally {
    watch.close();
  }
  // The group is folded in the log: the end of it is what the reader needs.
  await run.log.say(last.slice(-SHOWN_LINES));
  // That it cannot be read may be the very failure.
  const dockerfile = await world.files.readText(run.dockerfilePath).catch(() => '');
  const { problem, kind } = explainBuildFailure(plan, last, world.env.GITHUB_WORKSPACE ?? plan.context, dockerfile);
  if (kind === 'transient') throw new TransientFailure(problem);
  throw kind === 'sign-in lost' ? new LostSignIn(problem, 'refused') : problem;
}

async function execute(
  plan: ImagePlan,
  run: BuildxRun,
  stalled: AbortSignal,
  onLine: readonly ((line: string) => void)[],
): Promise<number> {
  const { world } = run;
  const lines = new OutputLines((line) => {
    for (const take of onLine) take(line);
  });
  const files = { ...run, rewritesTimestamps: run.builder.rewritesTimestamps };
  const { exitCode } = await world.exec('docker', buildxArguments(plan, files), {
    cwd: plan.context,
    env: childEnvironment(run.env, plan),
    signal: AbortSignal.any([world.signal, stalled]),
    onOutput: (text, stream) => lines.take(text, stream),
  });
  lines.end();
  return exitCode;
}

function stalledFailure(plan: ImagePlan, stalled: NonNullable<IdleWatch['stalled']>, cause: unknown): Error {
  const minutes = Math.round(stalled.ms / 60_000);
  const name = `${plan.repository}:${plan.tags[0]}`;
  const problem = new Problem(
    `the ${stalled.phase} of ${name} was ended because buildx wrote nothing for ${minutes} minutes`,
    {
      remedy:
        stalled.phase === 'push'
          ? 'The registry took nothing more: look at its status page and at the way to it, and run the job again (the layers are cached).'
          : 'Look at the last lines above: the step that stands there did not go on. A step that is silent for longer should write something now and then.',
      cause,
      ...(plan.where === undefined ? {} : { where: plan.where }),
    },
  );
  return stalled.phase === 'push' ? new LostSignIn(problem, 'stalled') : problem;
}

function childEnvironment(env: Readonly<Record<string, string>>, plan: ImagePlan): Record<string, string> {
  const child: Record<string, string> = {
    ...dockerEnvironment(env, plan.secrets),
    ...plan.secretEnv,
    BUILDX_NO_DEFAULT_ATTESTATIONS: '1',
  };
  if (plan.sourceDateEpoch !== undefined) child.SOURCE_DATE_EPOCH = String(plan.sourceDateEpoch);
  return child;
}
