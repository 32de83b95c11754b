import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { withLock } from './lock.ts';
import { type Log, withProgress } from './progress.ts';

/**
 * What takes long to make (binaries, environments, images) is made once per machine and kept outside the checkout.
 *
 * Failure model: an entry is built under a temporary name beside its final one and renamed when whole, so that an
 * entry that exists is complete; a build that was interrupted leaves a temporary folder, which the next build of that
 * part removes. A lock held by the kernel (lock.ts) keeps two rigs from building the same part at once.
 */
export function cacheRoot(env: NodeJS.ProcessEnv = process.env): string {
  const base = env.XDG_CACHE_HOME ?? '';
  return join(base === '' ? join(homedir(), '.cache') : base, 'slipway-rig');
}

/**
 * The name of a cache entry.
 *
 * @param part which thing, for example `kubernetes`.
 * @param ingredients everything that decides its content: the texts of its lock files, versions, the recipe.
 * @returns `part-<sha256>`; another order or another split of the same text gives another name.
 */
export function entryName(part: string, ingredients: readonly string[]): string {
  const hash = createHash('sha256');
  for (const text of ingredients) hash.update(`${Buffer.byteLength(text)}:`).update(text);
  return `${part}-${hash.digest('hex')}`;
}

export interface CacheRequest {
  readonly part: string;
  readonly ingredients: readonly string[];
  /** What a person reads while it is built, with about how long it takes. */
  readonly title: string;
  /** Makes the content inside an empty folder. What it logs beside it goes to `logFile`, which is not kept in it. */
  readonly build: (folder: string, logFile: string) => Promise<void>;
}

/** Returns the folder of a cache entry, building it first when it is missing. */
export async function cached(request: CacheRequest, log: Log, signal: AbortSignal): Promise<string> {
  const root = cacheRoot();
  const entry = join(root, entryName(request.part, request.ingredients));
  if (existsSync(entry)) return entry;
  mkdirSync(join(root, 'logs'), { recursive: true });
  return withLock(`build ${root} ${request.part}`, log, signal, async () => {
    if (existsSync(entry)) return entry;
    const prefix = `.building-${request.part}-`;
    for (const name of readdirSync(root)) {
      if (name.startsWith(prefix)) rmSync(join(root, name), { recursive: true, force: true });
    }
    const folder = join(root, `${prefix}${process.pid}`);
    const logFile = join(root, 'logs', `${request.part}.log`);
    rmSync(logFile, { force: true });
    mkdirSync(folder);
    try {
      await withProgress(log, request.title, () => request.build(folder, logFile));
      renameSync(folder, entry);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
    return entry;
  });
}
