import pLimit from 'p-limit';
import { openDockerConfig } from '../registry/docker-config.ts';
import type { Credentials, GivenCredentials } from '../registry/model.ts';
import { parseRepository } from '../registry/repository.ts';
import type { SignIn } from '../registry/sign-in.ts';
import type { World } from '../world.ts';
import { buildImage } from './build.ts';
import { type Fingerprint, fingerprint, INPUTS_LABEL } from './fingerprint.ts';
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
}

/**
 * Builds the image of a plan, once for equal plans.
 *
 * @param stepCredentials those of a push step, which win over the inputs.
 * @throws Problem (the same one for every equal plan).
 */
export type ImageBuilder = (plan: ImagePlan, stepCredentials?: GivenCredentials) => Promise<BuiltImage>;

/**
 * Makes the one place of a run that builds: it asks docker once whether it can, signs in right before each build with
 * a Docker configuration that lives no longer than the build, and hands equal plans the same result, also while it is
 * still being made. One build at a time: a log group cannot hold another.
 */
export function createImageBuilder(options: ImageBuilderOptions): ImageBuilder {
  const { world } = options;
  const oneAtATime = pLimit(1);
  const builds = new Map<string, Promise<BuiltImage>>();
  const builders = new Map<string, Promise<Builder>>();

  const builderFor = (plan: ImagePlan) =>
    once(builders, plan.builder ?? '', () => checkBuilder({ ...world, builder: plan.builder, cwd: plan.context }));

  const fingerprintOf = async (plan: ImagePlan, { platform }: Builder): Promise<Fingerprint | undefined> => {
    const { reuse } = options;
    // A Dockerfile that is not there is the build's to complain of.
    if (reuse === undefined || (plan.dockerfile.kind === 'file' && !(await world.files.exists(plan.dockerfile.path))))
      return undefined;
    const dockerfile =
      plan.dockerfile.kind === 'file' ? await world.files.readText(plan.dockerfile.path) : plan.dockerfile.content;
    return fingerprint(plan, { ...reuse, dockerfile, ownPlatform: platform });
  };

  const build = async (plan: ImagePlan, stepCredentials: GivenCredentials | undefined): Promise<BuiltImage> => {
    const repository = parseRepository(plan.repository);
    const builder = await builderFor(plan);
    if (!plan.push) return buildImage(plan, { world, env: world.env, builder, access: undefined });
    const { credentials, access } = await options.signIn(repository, stepCredentials);
    const inputs = await fingerprintOf(plan, builder);
    const reused =
      inputs === undefined || options.reuse === undefined
        ? undefined
        : await reuseImage(plan, inputs, { ...options.reuse, access, world });
    if (reused !== undefined) {
      if (credentials !== undefined) options.signedIn?.set(repository.host, credentials);
      return reused;
    }
    const labelled = inputs?.kind === 'known' ? withLabel(plan, INPUTS_LABEL, inputs.hash) : plan;
    if (credentials === undefined) return buildImage(labelled, { world, env: world.env, builder, access });
    options.signedIn?.set(repository.host, credentials);
    const config = await openDockerConfig({
      host: repository.host,
      credentials,
      env: world.env,
      files: world.files,
      remember: options.remember,
    });
    try {
      return await buildImage(labelled, { world, env: config.env, builder, access });
    } finally {
      await config.close();
    }
  };

  return (plan, stepCredentials) => once(builds, imageKey(plan), () => oneAtATime(() => build(plan, stepCredentials)));
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
