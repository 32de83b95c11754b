import type { Revision } from '../source/model.ts';
import type { ImagePlan } from './model.ts';

/** Names the pull request's head when its test merge is what was built; `revision` then names the merge. */
export const PULL_REQUEST_HEAD_LABEL = 'slipway.pull-request.head';

/**
 * The plan with the OCI labels that say where the image comes from: revision (of the files that are built; `-dirty`
 * when they are not all of it), source, created (the commit's time, so that the digest does not move), version (the
 * main tag). The plan's own labels win (anchors/action.md §3.6).
 */
export function withOciLabels(plan: ImagePlan, revision: Revision): ImagePlan {
  const built = revision.mergeSha ?? revision.sha;
  const labels: Record<string, string> = { 'org.opencontainers.image.version': plan.tags[0] };
  if (built !== undefined) {
    labels['org.opencontainers.image.revision'] = revision.dirty ? `${built}-dirty` : built;
  }
  if (revision.mergeSha !== undefined && revision.sha !== undefined) labels[PULL_REQUEST_HEAD_LABEL] = revision.sha;
  if (revision.repositoryUrl !== undefined) labels['org.opencontainers.image.source'] = revision.repositoryUrl;
  if (revision.committedAt !== undefined) {
    const created = new Date(revision.committedAt * 1000).toISOString().replace('.000Z', 'Z');
    labels['org.opencontainers.image.created'] = created;
  }
  return { ...plan, labels: { ...labels, ...plan.labels } };
}
