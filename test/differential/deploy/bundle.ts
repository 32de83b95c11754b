import { join, resolve } from 'node:path';
import { build } from 'esbuild';
import type { ActionCode } from '../../journey/runner.ts';

const SOURCES = resolve(import.meta.dirname, '../../../src');

/** Bundles the action as its sources are now, in a second, where dist/ takes a minute to make. @param folder for it. */
export async function bundleSources(folder: string): Promise<ActionCode> {
  await build({
    entryPoints: ['main.ts', 'post.ts'].map((name) => join(SOURCES, name)),
    outdir: folder,
    outExtension: { '.js': '.mjs' },
    bundle: true,
    splitting: true,
    platform: 'node',
    target: 'node24',
    format: 'esm',
    // CommonJS dependencies call require() for Node's own modules, which ESM does not have.
    banner: {
      js: 'import{createRequire as slipwayRequire}from"node:module";const require=slipwayRequire(import.meta.url);',
    },
    logLevel: 'warning',
  });
  return { main: join(folder, 'main.mjs'), post: join(folder, 'post.mjs') };
}
