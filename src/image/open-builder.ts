import type { Job } from '../job.ts';
import { openSignIn } from '../registry/sign-in.ts';
import { createImageBuilder, type ImageBuilder } from './builder.ts';
import { withOciLabels } from './labels.ts';

/** The one place of a job that builds: the action's own image and those of build steps, equal ones once. */
export function openImageBuilder({ world, inputs, state, revision, signedIn, workspace }: Job): ImageBuilder {
  const build = createImageBuilder({
    world,
    signIn: openSignIn(inputs.registry, { ...world, fetch: globalThis.fetch }),
    reuse: { ifExists: inputs.ifExists, revision, workspace },
    remember: (directory) => state.rememberDirectory(directory),
    signedIn,
  });
  return (plan, credentials) => build(withOciLabels(plan, revision), credentials);
}
