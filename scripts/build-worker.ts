import { chmod, mkdir, rm, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { build } from 'esbuild';

const worker = resolve(import.meta.dirname, '../worker');

/**
 * How the bundle is run, as a program. All three keep memory that an idle worker would not use (docs/decisions/memory.md):
 * one arena of malloc for its ten threads, a young generation of the size that it fills, and undici's HTTP parser as
 * WebAssembly is first compiled: to optimize it takes 0.1 s and 9 MB for good, already after its third answer.
 */
const RUN_BY = '/usr/bin/env -S MALLOC_ARENA_MAX=1 node --max-semi-space-size=1 --wasm-tiering-budget=2000000000';

/**
 * Bundles the worker into worker/dist, which Node 24 runs as it is: in its container and outside. What a running worker
 * in a cluster never needs stands in chunks of its own: client-node alone is two thirds of all the code, and code that is
 * only read takes memory too. esbuild, because ncc makes 19 MB in four files of @kubernetes/client-node (design.md).
 */
export async function buildWorker(): Promise<void> {
  const outdir = join(worker, 'dist');
  await rm(outdir, { recursive: true, force: true });
  await mkdir(outdir, { recursive: true });
  await build({
    entryPoints: [join(worker, 'src/main.ts')],
    outdir,
    chunkNames: 'chunks/[name]-[hash]',
    bundle: true,
    splitting: true,
    platform: 'node',
    target: 'node24',
    format: 'esm',
    minify: true,
    keepNames: true,
    legalComments: 'none',
    // CommonJS dependencies call require() for Node's own modules, which ESM does not have.
    banner: {
      js: `#!${RUN_BY}\nimport{createRequire as slipwayRequire}from"node:module";const require=slipwayRequire(import.meta.url);`,
    },
    logLevel: 'warning',
  });
  // Else Node reads each file twice to find out that it is a module.
  await writeFile(join(outdir, 'package.json'), '{"type":"module"}\n');
  await chmod(join(outdir, 'main.js'), 0o755);
}
