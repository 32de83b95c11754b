import { isDeepStrictEqual } from 'node:util';
import pLimit from 'p-limit';
import { openDockerConfig } from '../registry/docker-config.ts';
import type { Credentials, GivenCredentials } from '../registry/model.ts';
import { parseRepository, type Repository } from '../registry/repository.ts';
import type { SignedIn, SignIn } from '../registry/sign-in.ts';
import type { World } from '../world.ts';
import { lackOf } from './abilities.ts';
import { buildImage } from './build.ts';
import { BuildLog } from './build-log.ts';
import { LostSignIn } from './buildx.ts';
import { type Fingerprint, fingerprint, INPUTS_LABEL } from './fingerprint.ts';
import { IDLE_LIMITS, type IdleLimits } from './idle-watch.ts';
import { imageKey } from './key.ts';
import type { BuiltImage, ImagePlan } from './model.ts';
import { type Builder, checkBuilder } from './preflight.ts';
import { type ReuseContext, reuseImage } from './reuse.ts';

export interface ImageBuilderOptions {
  readonly world: World;
  readonly signIn: SignIn;
  /** What may be taken from the registry instead of a build; undefined: nothing. */
  readonly reuse?: Pick<ReuseContext, 'ifExists' | 'revision'> & { readonly workspace: string };
  /** Called with each directory that will hold a secret, so that the post step removes it should this process die. */
  readonly remember: (directory: string) => void;
  /** Told the credentials that a build used, by registry host: for whoever fetches the image later in the run. */
  readonly signedIn?: Map<string, Credentials>;
  /** How long buildx may write nothing. */
  readonly idle?: IdleLimits;
}

/**
 * Builds the image of a plan, once for equal plans, but those that must be fresh (`freshBecause`) each time.
 *
 * @param stepCredentials those of a push step, which win over the inputs.
 * @throws Problem (the same one for every equal plan).
 */
export type ImageBuilder = (plan: ImagePlan, stepCredentials?: GivenCredentials) => Promise<BuiltImage>;

/**
 * Makes the one place of a run that builds: it asks docker once whether it can, signs in right before each build with
 * a Docker configuration that lives no longer than the build, and hands equal plans the same result, also while it is
 * still being made. A few are built at the same time; when one fails, the others are ended. A sign-in that did not
 * outlive its build is made anew, once, and the build repeated: its layers are cached.
 */
export function createImageBuilder(options: ImageBuilderOptions): ImageBuilder {
  const stop = new AbortController();
  const world = { ...options.world, signal: AbortSignal.any([options.world.signal, stop.signal]) };
  const log = new BuildLog(world);
  const { idle = IDLE_LIMITS } = options;
  const fewAtATime = pLimit(AT_A_TIME);
  const builds = new Map<string, Promise<BuiltImage>>();
  const builders = new Map<string, Promise<Builder>>();

  const builderFor = (plan: ImagePlan) =>
    once(builders, plan.builder ?? '', () => checkBuilder({ ...world, builder: plan.builder, cwd: plan.context }));

  const fingerprintOf = async (plan: ImagePlan, { platform }: Builder): Promise<Fingerprint | undefined> => {
    const { reuse } = options;
    const dockerfile =
      plan.dockerfile.kind === 'file'
        ? await world.files.readText(plan.dockerfile.path).catch(() => undefined)
        : plan.dockerfile.content;
    // A Dockerfile that cannot be read is the build's to complain of.
    if (reuse === undefined || dockerfile === undefined) return undefined;
    return fingerprint(plan, { ...reuse, dockerfile, ownPlatform: platform });
  };

  const build = async (plan: ImagePlan, stepCredentials: GivenCredentials | undefined): Promise<BuiltImage> => {
    world.signal.throwIfAborted();
    const repository = parseRepository(plan.repository);
    const builder = await builderFor(plan);
    if (!plan.push) return buildImage(plan, { world, env: world.env, builder, log, idle, access: undefined });
    const signedIn = await options.signIn(repository, stepCredentials);
    const inputs = await fingerprintOf(plan, builder);
    const reused =
      inputs === undefined || options.reuse === undefined
        ? undefined
        : await reuseImage(plan, inputs, { ...options.reuse, access: signedIn.access, world });
    if (reused !== undefined) {
      keep(repository.host, signedIn);
      return reused;
    }
    const lack = lackOf(plan, builder);
    if (lack !== undefined) throw lack;
    const labelled = inputs?.kind === 'known' ? withLabel(plan, INPUTS_LABEL, inputs.hash) : plan;
    try {
      return await buildSignedIn(labelled, builder, repository, signedIn);
    } catch (error) {
      if (!(error instanceof LostSignIn)) throw error;
      const again = await options.signIn(repository, stepCredentials);
      const isNew = !isDeepStrictEqual(again.credentials, signedIn.credentials);
      if (error.reason === 'refused' && !isNew) throw error.problem;
      world.log.warning(`${error.message}; once more with ${isNew ? 'new credentials' : 'the same credentials'}`);
      return await buildSignedIn(labelled, builder, repository, again).catch((second: unknown) => {
        throw second instanceof LostSignIn ? second.problem : second;
      });
    }
  };

  const keep = (host: string, { credentials }: SignedIn) => {
    if (credentials !== undefined) options.signedIn?.set(host, credentials);
  };

  const buildSignedIn = async (plan: ImagePlan, builder: Builder, { host }: Repository, signedIn: SignedIn) => {
    const { credentials, access } = signedIn;
    keep(host, signedIn);
    if (credentials === undefined) return await buildImage(plan, { world, env: world.env, builder, log, idle, access });
    const { env, files } = world;
    const config = await openDockerConfig({ host, credentials, env, files, remember: options.remember });
    try {
      return await buildImage(plan, { world, env: config.env, builder, log, idle, access });
    } finally {
      await config.close();
    }
  };

  const buildOrStop = async (plan: ImagePlan, stepCredentials: GivenCredentials | undefined): Promise<BuiltImage> => {
    try {
      return await build(plan, stepCredentials);
    } catch (error) {
      stop.abort(new Stopped());
      throw error;
    }
  };

  return (plan, stepCredentials) => {
    const make = () => log.announced(() => fewAtATime(() => buildOrStop(plan, stepCredentials)));
    // What is to be built anew each time shares nothing: the files may have changed in between.
    return plan.freshBecause === undefined ? once(builds, imageKey(plan), make) : make();
  };
}

/** How many images are built at the same time: BuildKit shares out the processors, more only take each other's memory. */
const AT_A_TIME = 3;

/** A build was ended because another one of the same run failed. */
export class Stopped extends Error {
  override readonly name = 'Stopped';

  constructor() {
    super('ended, as another image could not be built');
  }
}

function withLabel(plan: ImagePlan, name: string, value: string): ImagePlan {
  return { ...plan, labels: { ...plan.labels, [name]: value } };
}

/** The value under a key, made at the first asking; askers in between share the one that is being made. */
function once<T>(made: Map<string, Promise<T>>, key: string, make: () => Promise<T>): Promise<T> {
  const known = made.get(key);
  if (known !== undefined) return known;
  const making = make();
  made.set(key, making);
  return making;
}
