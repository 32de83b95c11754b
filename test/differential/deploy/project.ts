import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { cp, mkdir } from 'node:fs/promises';
import { basename, join, relative, sep } from 'node:path';
import { promisify } from 'node:util';
import { z } from 'zod';

const run = promisify(execFile);
const PROJECTS = join(import.meta.dirname, 'projects');

/** Files of a project's folder that are about it and not part of it. */
const ABOUT = 'project.json';
export const GOLDEN = 'golden.json';
/** Files that take the place of others before the third deploy. */
const CHANGED = 'changed';

const About = z.strictObject({
  about: z.string(),
  /** Run by `npm test` too, against the golden. */
  inTests: z.boolean().default(false),
  /** Without: the folder is no repository, and no runner told of a commit. */
  git: z.boolean().default(true),
  /** Address of the repository's remote `origin`; null: it has none. */
  remote: z.string().nullable().default('https://github.com/acme/hello.git'),
  /** `env:` of the step and of the CLI, beside what a runner sets. */
  env: z.record(z.string(), z.string()).default({}),
  /** Names to deploy, `-n` and the input `deployments`; absent: all. */
  names: z.array(z.string()).optional(),
  prefectFile: z.string().optional(),
  /** The action finds the locked Prefect's Python on its PATH, for steps that need one. */
  python: z.boolean().default(false),
});

/** One project of the differential run: a folder that is deployed as it is, again, and with `changed/` laid over it. */
export interface Project extends z.infer<typeof About> {
  readonly name: string;
  readonly folder: string;
}

export const STAGES = ['first', 'again', 'changed'] as const;
export type Stage = (typeof STAGES)[number];

/** @throws when a name is not that of a project, or a project.json is wrong. */
export function readProjects(names: readonly string[] = []): Project[] {
  const all = readdirSync(PROJECTS).sort();
  const unknown = names.filter((name) => !all.includes(name));
  if (unknown.length > 0) throw new Error(`there is no project ${unknown.join(', ')} in ${PROJECTS}`);
  return (names.length > 0 ? names : all).map((name) => {
    const folder = join(PROJECTS, name);
    const about = About.parse(JSON.parse(readFileSync(join(folder, ABOUT), 'utf8')));
    return { ...about, name, folder };
  });
}

/** A working copy of a project, in a folder with the project's name. */
export interface Checkout {
  readonly directory: string;
  /** The commit; zeros where there is no repository. */
  readonly sha: string;
}

/**
 * Copies a project into a new folder of `parent` and commits it, always to the same commit.
 */
export async function checkOut(project: Project, parent: string): Promise<Checkout> {
  const directory = join(parent, project.name);
  await mkdir(parent, { recursive: true });
  await cp(project.folder, directory, {
    recursive: true,
    filter: (source) => isPart(relative(project.folder, source)),
  });
  if (!project.git) return { directory, sha: '0'.repeat(40) };
  await git(directory, 'init', '--quiet', '--initial-branch=main');
  if (project.remote !== null) await git(directory, 'remote', 'add', 'origin', project.remote);
  return { directory, sha: await commit(directory, `First state of ${project.name}`) };
}

/** Lays `changed/` over a working copy and commits that; without the folder nothing changes. */
export async function change(project: Project, checkout: Checkout): Promise<Checkout> {
  const changed = join(project.folder, CHANGED);
  if (existsSync(changed)) await cp(changed, checkout.directory, { recursive: true });
  if (!project.git || !existsSync(changed)) return checkout;
  return { ...checkout, sha: await commit(checkout.directory, `Second state of ${project.name}`) };
}

/** A hash of all that decides what Prefect answers. */
export function hashOf(project: Project): string {
  const { git, remote, env, names, prefectFile } = project;
  const hash = createHash('sha256').update(JSON.stringify({ git, remote, env, names, prefectFile }));
  const paths = readdirSync(project.folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && ![ABOUT, GOLDEN].includes(entry.name))
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((path) => !path.includes('__pycache__'));
  for (const path of paths.sort()) {
    hash.update(relative(project.folder, path)).update('\0').update(readFileSync(path)).update('\0');
  }
  return hash.digest('hex');
}

function isPart(path: string): boolean {
  const [first = ''] = path.split(sep);
  return ![ABOUT, GOLDEN, CHANGED].includes(first) && basename(path) !== '__pycache__';
}

async function commit(directory: string, message: string): Promise<string> {
  await git(directory, 'add', '--all');
  await git(directory, 'commit', '--quiet', '--allow-empty', '--message', message);
  return await git(directory, 'rev-parse', 'HEAD');
}

/** Everything that a commit's name is made of is fixed, so that it may stand in a golden. */
async function git(directory: string, ...args: string[]): Promise<string> {
  const env = {
    PATH: process.env.PATH,
    HOME: directory,
    GIT_CONFIG_NOSYSTEM: '1',
    GIT_AUTHOR_NAME: 'Ford Prefect',
    GIT_AUTHOR_EMAIL: 'ford@example.com',
    GIT_AUTHOR_DATE: '2026-01-01T12:00:00Z',
    GIT_COMMITTER_NAME: 'Ford Prefect',
    GIT_COMMITTER_EMAIL: 'ford@example.com',
    GIT_COMMITTER_DATE: '2026-01-01T12:00:00Z',
  };
  const { stdout } = await run('git', ['-C', directory, ...args], { env, timeout: 60_000 });
  return stdout.trim();
}
