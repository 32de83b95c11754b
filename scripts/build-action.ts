import { execFile } from 'node:child_process';
import { cp, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import * as z from 'zod';

const run = promisify(execFile);
const root = resolve(import.meta.dirname, '..');
const nodeModules = join(root, 'node_modules');

/**
 * Compiles the action with TypeScript and bundles each entry with ncc: `<into>/main/index.js`, `<into>/post/index.js`.
 * TypeScript compiles first because ncc's own loader keeps neither the project's settings nor pace with its syntax.
 * Minified, names of functions and classes kept: half the size, and stack traces still tell where.
 * The result holds no time, path or machine, so that a rebuild is byte-equal.
 *
 * @param into directory that receives main/ and post/; they are replaced.
 */
export async function buildAction(into: string): Promise<void> {
  const build = join(root, 'build');
  await rm(build, { recursive: true, force: true });
  await run(process.execPath, [join(nodeModules, 'typescript/bin/tsc'), '-p', join(root, 'tsconfig.build.json')], {
    cwd: root,
  });
  await installCompiledPrefect(build);
  const nothing = join(build, 'nothing-to-ship');
  await mkdir(nothing);
  for (const entry of ['main', 'post']) {
    const output = join(into, entry);
    await rm(output, { recursive: true, force: true });
    const ncc = join(nodeModules, '@vercel/ncc/dist/ncc/cli.js');
    const args = [
      ncc,
      'build',
      join(build, 'src', `${entry}.js`),
      '--out',
      output,
      '--no-cache',
      '--quiet',
      '--minify',
      '--license',
      'licenses.txt',
    ];
    // Below its working directory ncc takes every path that code puts together for a file to ship, and rewrites it.
    await run(process.execPath, args, { cwd: nothing });
    // @azure/identity can open a browser by this script of its own; a runner has none, and nothing here asks it to.
    await rm(join(output, 'xdg-open'), { force: true });
  }
}

/** Puts the compiled @slipway/prefect where the compiled action finds it, its exports naming .js instead of .ts. */
async function installCompiledPrefect(build: string): Promise<void> {
  const Manifest = z.looseObject({ exports: z.record(z.string(), z.string()) });
  const { name, exports } = Manifest.parse(JSON.parse(await readFile(join(root, 'prefect/package.json'), 'utf8')));
  const compiled = Object.fromEntries(
    Object.entries(exports).map(([path, file]) => [path, file.replace(/\.ts$/, '.js')]),
  );
  const folder = join(build, 'node_modules/@slipway/prefect');
  await cp(join(build, 'prefect'), folder, { recursive: true });
  await writeFile(join(folder, 'package.json'), JSON.stringify({ name, type: 'module', exports: compiled }));
}
