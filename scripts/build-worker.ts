import { chmod, mkdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { build } from 'esbuild';

const worker = resolve(import.meta.dirname, '../worker');

/**
 * Bundles the worker into one file, worker/dist/main.js, that Node 24 runs as it is: in its container and outside.
 * esbuild, because ncc makes 19 MB in four files of @kubernetes/client-node (design.md).
 */
export async function buildWorker(): Promise<void> {
  const outfile = join(worker, 'dist/main.js');
  await mkdir(join(worker, 'dist'), { recursive: true });
  await build({
    entryPoints: [join(worker, 'src/main.ts')],
    outfile,
    bundle: true,
    platform: 'node',
    target: 'node24',
    format: 'esm',
    minify: true,
    keepNames: true,
    legalComments: 'none',
    // CommonJS dependencies call require() for Node's own modules, which ESM does not have.
    banner: {
      js: '#!/usr/bin/env node\nimport{createRequire as slipwayRequire}from"node:module";const require=slipwayRequire(import.meta.url);',
    },
    logLevel: 'warning',
  });
  await chmod(outfile, 0o755);
}
