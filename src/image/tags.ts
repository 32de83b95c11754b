import { createHash } from 'node:crypto';
import { Problem, throwIfAny } from '../problem.ts';
import type { Revision } from '../source/model.ts';
import { isTag } from '../source/tag.ts';

const PLACEHOLDERS = ['sha', 'short_sha', 'branch', 'ref_name', 'run_number', 'version'] as const;
type Placeholder = (typeof PLACEHOLDERS)[number];

/** What the placeholders stand for in this run, or why one stands for nothing (a clause that follows "because"). */
export type TagNames = Readonly<Record<Placeholder, { readonly text: string } | { readonly why: string }>>;

const LONGEST = 128;

/** What can be said against a template before the revision is known. */
export function checkTagTemplate(template: string): Problem | undefined {
  const unknown = placeholdersOf(template).find((name) => !isPlaceholder(name));
  if (unknown !== undefined) {
    return new Problem(`the tag ${JSON.stringify(template)} has the placeholder {${unknown}}, which there is none of`, {
      remedy: `Use ${PLACEHOLDERS.map((name) => `{${name}}`).join(' ')}, or text without braces.`,
    });
  }
  // Each placeholder gives letters and digits at least.
  if (isTag(template.replaceAll(/\{\w+\}/g, 'x').slice(0, LONGEST))) return undefined;
  return new Problem(`${JSON.stringify(template)} is no tag of an image`, {
    remedy:
      'A tag has letters, digits and . _ - and begins with none of . and -. Rules as docker/metadata-action has them are ' +
      'not read here; its output `tags` may be given.',
  });
}

/**
 * The tags that templates come to, in their order, each once.
 *
 * A value is made fit for a tag as docker/metadata-action does it: every run of other characters becomes `-`; beyond
 * that, leading `.` and `-` fall away, and a tag that is too long ends in a hash of the whole, so that two long branches
 * do not meet.
 *
 * @throws Problem | Problems for placeholders that stand for nothing in this run, and what checkTagTemplate refuses.
 */
export function fillTags(templates: readonly [string, ...string[]], names: TagNames): [string, ...string[]] {
  const problems: Problem[] = [];
  const tags = templates.map((template) => {
    const wrong = checkTagTemplate(template) ?? emptyPlaceholder(template, names);
    if (wrong !== undefined) problems.push(wrong);
    return shortened(template.replaceAll(/\{(\w+)\}/g, (_all, name: string) => textOf(name, names)));
  });
  throwIfAny(problems);
  const [first = '', ...rest] = new Set(tags);
  return [first, ...rest];
}

/** What the placeholders stand for; a dirty work tree shows in every name that is a commit's. */
export function tagNames(revision: Revision, env: Readonly<Record<string, string | undefined>>): TagNames {
  const dirty = revision.dirty ? '-dirty' : '';
  const commit = (sha: string | undefined) =>
    present(sha === undefined ? undefined : `${sha}${dirty}`, 'there is neither a git checkout nor GITHUB_SHA');
  const tag = /^refs\/tags\/(.+)$/s.exec(env.GITHUB_REF ?? '')?.[1];
  return {
    sha: commit(revision.sha),
    short_sha: commit(revision.shortSha),
    branch: present(
      revision.branch,
      tag === undefined ? 'the checkout is on no branch' : `the event is about the git tag ${tag}, not about a branch`,
    ),
    ref_name: present(revision.refName, 'there is no GITHUB_REF_NAME, and the checkout is on no branch'),
    run_number: present(env.GITHUB_RUN_NUMBER, 'there is no GITHUB_RUN_NUMBER outside GitHub Actions'),
    version: present(
      tag?.replace(/^v(?=\d)/, ''),
      `the event is about no git tag (${env.GITHUB_REF || 'no GITHUB_REF'})`,
    ),
  };
}

function present(text: string | undefined, why: string): { text: string } | { why: string } {
  if (text === undefined || text === '') return { why };
  const fit = text.replaceAll(/[^\w.-]+/g, '-').replace(/^[.-]+/, '');
  return fit === '' ? { why: `${JSON.stringify(text)} has no character that a tag may have` } : { text: fit };
}

function emptyPlaceholder(template: string, names: TagNames): Problem | undefined {
  for (const name of placeholdersOf(template)) {
    const value = isPlaceholder(name) ? names[name] : undefined;
    if (value === undefined || 'text' in value) continue;
    return new Problem(`the tag ${JSON.stringify(template)} comes to nothing, because ${value.why}`, {
      remedy: `Use another placeholder than {${name}} for this event, e.g. {sha}.`,
    });
  }
  return undefined;
}

function textOf(name: string, names: TagNames): string {
  const value = isPlaceholder(name) ? names[name] : undefined;
  return value !== undefined && 'text' in value ? value.text : '';
}

function shortened(tag: string): string {
  if (tag.length <= LONGEST) return tag;
  const hash = createHash('sha256').update(tag).digest('hex').slice(0, 8);
  return `${tag.slice(0, LONGEST - hash.length - 1)}-${hash}`;
}

function placeholdersOf(template: string): string[] {
  return [...template.matchAll(/\{(\w*)\}/g)].map(([, name = '']) => name);
}

function isPlaceholder(name: string): name is Placeholder {
  return PLACEHOLDERS.some((one) => one === name);
}
