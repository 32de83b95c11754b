import { execFile } from 'node:child_process';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { promisify } from 'node:util';
import * as z from 'zod';

const run = promisify(execFile);

const Commit = z.object({ branch: z.string().optional(), files: z.record(z.string(), z.string()) });
/** Repositories of a case: each a list of commits in order. */
export const Repositories = z.record(z.string(), z.array(Commit));
export type Repositories = z.infer<typeof Repositories>;

/** Nothing of this machine's git decides what a case comes to. */
export const GIT_ENVIRONMENT = { GIT_CONFIG_NOSYSTEM: '1', GIT_CONFIG_GLOBAL: '/dev/null' };

async function git(directory: string, ...args: string[]): Promise<string> {
  const who = { NAME: 'Ford', EMAIL: 'ford@example.com', DATE: '2026-01-01T00:00:00Z' };
  const identity = Object.entries(who).flatMap(([key, value]) => [
    [`GIT_AUTHOR_${key}`, value],
    [`GIT_COMMITTER_${key}`, value],
  ]);
  const env = { PATH: process.env.PATH, ...GIT_ENVIRONMENT, ...Object.fromEntries(identity) };
  return (await run('git', args, { cwd: directory, env })).stdout.trim();
}

/**
 * Makes repositories below `root` as fixtures/steps.py does, to the same commits.
 *
 * @returns what they are called in a case → what that stands for: `<flows>`, `<sha flows 0>`.
 */
export async function makeRepositories(root: string, repositories: Repositories): Promise<Map<string, string>> {
  const names = new Map<string, string>();
  for (const [name, commits] of Object.entries(repositories)) {
    const folder = join(root, name);
    await mkdir(folder, { recursive: true });
    await git(folder, 'init', '--quiet', '--initial-branch=main');
    await git(folder, 'config', 'uploadpack.allowAnySHA1InWant', 'true');
    for (const [index, { branch, files }] of commits.entries()) {
      if (branch !== undefined) await git(folder, 'checkout', '--quiet', '-B', branch);
      for (const [path, text] of Object.entries(files)) {
        await mkdir(dirname(join(folder, path)), { recursive: true });
        await writeFile(join(folder, path), text);
      }
      await git(folder, 'add', '--all');
      await git(folder, 'commit', '--quiet', '--message', String(index));
      names.set(`<sha ${name} ${index}>`, await git(folder, 'rev-parse', 'HEAD'));
    }
    await git(folder, 'checkout', '--quiet', 'main');
    names.set(`<${name}>`, `file://${folder}`);
  }
  return names;
}

/** Every clone in a project: its commit, and its files with their texts. */
export async function clonesIn(project: string): Promise<Record<string, { head: string; files: object }>> {
  const entries = await readdir(project, { recursive: true, withFileTypes: true });
  const clones = entries.filter(({ name }) => name === '.git').map(({ parentPath }) => parentPath);
  const found = clones.sort().map(async (folder) => {
    const inside = entries.filter((entry) => {
      const path = relative(folder, join(entry.parentPath, entry.name));
      return entry.isFile() && !path.startsWith('..') && !path.split('/').includes('.git');
    });
    const paths = inside.map((entry) => relative(folder, join(entry.parentPath, entry.name))).sort();
    const files = await Promise.all(
      paths.map(async (path) => [path, await readFile(join(folder, path), 'utf8')] as const),
    );
    const head = await git(folder, 'rev-parse', 'HEAD');
    return [relative(project, folder) || '.', { head, files: Object.fromEntries(files) }] as const;
  });
  return Object.fromEntries(await Promise.all(found));
}
