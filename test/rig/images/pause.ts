import { chmodSync, copyFileSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { cached } from '../cache.ts';
import type { SeededImage } from '../plan.ts';
import type { Log } from '../progress.ts';
import { run } from '../run.ts';
import { imageFromRootfs } from './image.ts';

/** Debian's busybox-static, the only file of the image. */
const BUSYBOX = '/bin/busybox';

/** The image every pod's sandbox runs: it only has to wait. */
export async function pauseImage(log: Log, signal: AbortSignal): Promise<SeededImage> {
  const folder = await cached(
    {
      part: 'image-pause',
      ingredients: [readFileSync(BUSYBOX, 'latin1')],
      title: 'making the pause image',
      build: async (made, logFile) => {
        const root = join(made, 'root');
        const tar = join(made, 'rootfs.tar');
        mkdirSync(root);
        copyFileSync(BUSYBOX, join(root, 'busybox'));
        chmodSync(join(root, 'busybox'), 0o755);
        const remedy = 'see its words above';
        await run('tar', ['--owner=0', '--group=0', '--numeric-owner', '-cf', tar, '-C', root, '.'], {
          logFile,
          signal,
          remedy,
        });
        await imageFromRootfs(tar, { Env: ['PATH=/'], Entrypoint: ['/busybox', 'sleep', '2147483647'] }, made);
        rmSync(root, { recursive: true });
      },
    },
    log,
    signal,
  );
  return { folder, repository: 'slipway-rig/pause', tags: ['1'] };
}
