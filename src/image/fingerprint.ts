import { createHash } from 'node:crypto';
import { isAbsolute, relative } from 'node:path';
import type { Revision } from '../source/model.ts';
import { sorted } from './key.ts';
import type { ImagePlan } from './model.ts';

/** The label in which an image keeps the hash of what it was built from. */
export const INPUTS_LABEL = 'slipway.inputs';

/** What an image is built from: its hash, or why the commit does not say it. */
export type Fingerprint =
  | { readonly kind: 'known'; readonly hash: string }
  | { readonly kind: 'unknown'; readonly because: string };

export interface FingerprintContext {
  readonly revision: Revision;
  /** The repository's root: what lies outside it is not told by the commit. */
  readonly workspace: string;
  readonly dockerfile: string;
  /** The platform of a build that names none: the builder's own. */
  readonly ownPlatform: string | undefined;
}

/**
 * One hash over everything that decides an image, pure: the commit and each build input, by name where its value is
 * secret. What only says how, where to and how fast (tags, caches, builder) is left out, and so are the paths of this
 * machine.
 */
export function fingerprint(plan: ImagePlan, context: FingerprintContext): Fingerprint {
  const { revision, workspace } = context;
  const commit = revision.mergeSha ?? revision.sha;
  if (commit === undefined) return unknown('it is built from no commit');
  if (revision.dirty) return unknown('the work tree has changes that are not committed');
  if (plan.changedBy !== undefined) return unknown(`${plan.changedBy} ran before and may have changed files`);
  const place = (path: string) => (isAbsolute(path) ? relative(workspace, path) : path);
  const places = { context: place(plan.context), contexts: mapped(plan.buildContexts, place) };
  const outside = [places.context, ...Object.values(places.contexts)].find((path) => /^\.\.(?:\/|$)/.test(path));
  if (outside !== undefined) return unknown(`it is built from ${outside}, which is outside the repository`);

  const {
    repository: _repository,
    tags: _tags,
    push: _push,
    cacheFrom: _cacheFrom,
    cacheTo: _cacheTo,
    noCache: _noCache,
    pull: _pull,
    builder: _builder,
    shmSize: _shmSize,
    where: _where,
    secretEnv: _secretEnv,
    freshBecause: _freshBecause,
    changedBy: _changedBy,
    ...inputs
  } = plan;
  const decisive = {
    ...inputs,
    commit,
    context: places.context,
    buildContexts: places.contexts,
    dockerfile: context.dockerfile,
    dockerignore: plan.dockerfile.kind === 'generated' ? plan.dockerfile.dockerignore : undefined,
    platforms: plan.platforms.length > 0 ? plan.platforms : [context.ownPlatform],
    secrets: plan.secrets.map((spec) => /(?:^|,)id=([^,]+)/.exec(spec)?.[1] ?? ''),
    ssh: plan.ssh.map((spec) => spec.split('=')[0] ?? ''),
  };
  const hash = createHash('sha256')
    .update(JSON.stringify(sorted(decisive)))
    .digest('hex');
  return { kind: 'known', hash: `sha256:${hash}` };
}

/** The first of the plan's tags that names a commit: it holds at least seven of its first digits. */
export function tagOfCommit(tags: readonly string[], sha: string): string | undefined {
  return tags.find((tag) => (tag.match(/[0-9a-f]{7,}/g) ?? []).some((digits) => sha.startsWith(digits)));
}

function unknown(because: string): Fingerprint {
  return { kind: 'unknown', because };
}

function mapped(values: Readonly<Record<string, string>>, change: (value: string) => string): Record<string, string> {
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [name, change(value)]));
}
