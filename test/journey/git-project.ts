import { execFile } from 'node:child_process';
import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { parseDocument, YAMLSeq } from 'yaml';

const run = promisify(execFile);
const EXAMPLES = resolve(import.meta.dirname, '../../examples');

/** A user's repository: a copy of an example under version control, with a remote that is never contacted. */
export interface GitProject {
  readonly directory: string;
  /** Writes files (path → text), commits everything and returns the commit. */
  commit(message: string, files?: Readonly<Record<string, string>>): Promise<Commit>;
  read(path: string): Promise<string>;
  remove(): Promise<void>;
}

export interface Commit {
  readonly sha: string;
  readonly shortSha: string;
}

/**
 * Copies an example into a fresh repository whose folder has the example's name.
 *
 * @param poolPatch RFC 6902 operations appended to the first entry of `work_pools:`: what a test cluster needs beyond
 *   what a user writes.
 */
export async function makeGitProject(example: string, poolPatch: readonly object[] = []): Promise<GitProject> {
  const parent = await mkdtemp(join(tmpdir(), 'slipway-project-'));
  const directory = join(parent, example);
  await cp(join(EXAMPLES, example), directory, { recursive: true });
  if (poolPatch.length > 0) await patchWorkPool(join(directory, 'prefect.yaml'), poolPatch);
  const git = async (...args: string[]): Promise<string> => {
    const identity = [
      '-c',
      'user.name=Ford Prefect',
      '-c',
      'user.email=ford@example.com',
      '-c',
      'commit.gpgsign=false',
    ];
    const { stdout } = await run('git', ['-C', directory, ...identity, ...args]);
    return stdout.trim();
  };
  await git('init', '--quiet', '--initial-branch=main');
  await git('remote', 'add', 'origin', 'https://github.com/acme/hello.git');
  return {
    directory,
    async commit(message, files = {}) {
      for (const [path, text] of Object.entries(files)) {
        await mkdir(dirname(join(directory, path)), { recursive: true });
        await writeFile(join(directory, path), text);
      }
      await git('add', '--all');
      await git('commit', '--quiet', '--message', message);
      return { sha: await git('rev-parse', 'HEAD'), shortSha: await git('rev-parse', '--short', 'HEAD') };
    },
    read: (path) => readFile(join(directory, path), 'utf8'),
    remove: () => rm(parent, { recursive: true, force: true }),
  };
}

async function patchWorkPool(file: string, operations: readonly object[]): Promise<void> {
  const document = parseDocument(await readFile(file, 'utf8'));
  const path = ['work_pools', 0, 'patch'];
  if (!document.hasIn(path)) document.setIn(path, new YAMLSeq());
  for (const operation of operations) document.addIn(path, document.createNode(operation));
  await writeFile(file, String(document));
}
