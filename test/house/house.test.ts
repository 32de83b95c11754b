import { execFile } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { buildAction } from '../../scripts/build-action.ts';

const root = resolve(import.meta.dirname, '../..');
const run = promisify(execFile);

/** What a command said when it failed, or undefined when it succeeded. */
async function complaint(script: string, args: readonly string[]): Promise<string | undefined> {
  try {
    await run(process.execPath, [join(root, 'node_modules', script), ...args], { cwd: root, maxBuffer: 64 << 20 });
    return undefined;
  } catch (error) {
    const { stdout, stderr } = error as { stdout?: string; stderr?: string };
    return `${stdout ?? ''}${stderr ?? String(error)}`;
  }
}

async function filesBelow(folder: string): Promise<Map<string, string>> {
  const names = (await readdir(folder, { recursive: true, withFileTypes: true }))
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
  return new Map(
    await Promise.all(names.map(async (name) => [name.slice(folder.length), await readFile(name, 'latin1')] as const)),
  );
}

describe('the house', () => {
  it('passes lint, formatting and the import rule', async () => {
    expect(await complaint('@biomejs/biome/bin/biome', ['ci', '--error-on-warnings', '.'])).toBeUndefined();
  });

  it('has types that hold', async () => {
    expect(await complaint('typescript/bin/tsc', ['--noEmit', '-p', 'tsconfig.json'])).toBeUndefined();
  });

  it('ships in dist/ exactly what the sources make', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'slipway-dist-'));
    try {
      await buildAction(folder);
      const [built, committed] = await Promise.all([filesBelow(folder), filesBelow(join(root, 'dist'))]);
      expect([...committed.keys()].sort()).toEqual([...built.keys()].sort());
      const different = [...built].filter(([name, text]) => committed.get(name) !== text).map(([name]) => name);
      expect(different, 'run `npm run build` and commit dist/').toEqual([]);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  });

  it('loads the clouds’ libraries in no run that does not sign in there', async () => {
    const files = await filesBelow(join(root, 'dist'));
    // A text that only this library has.
    const marks = ['AmazonEC2ContainerRegistry_V20150921', 'GOOGLE_CLOUD_QUOTA_PROJECT', 'ManagedIdentityCredential'];
    for (const mark of marks) {
      const holders = [...files].filter(([, text]) => text.includes(mark)).map(([name]) => name);
      expect(holders, mark).toEqual([expect.stringMatching(/^\/main\/\d+\.index\.js$/)]);
    }
    for (const entry of ['/main/index.js', '/post/index.js']) {
      expect(files.get(entry)?.length, entry).toBeLessThan(3_000_000);
    }
  });
});
