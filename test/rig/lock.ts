import { createHash } from 'node:crypto';
import { createServer, type Server } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Log } from './progress.ts';

/** The abstract socket that stands for a lock (unix(7)): at most 107 bytes, beginning with NUL, no file anywhere. */
function socketName(name: string): string {
  return `\0slipway-rig-${createHash('sha256').update(name).digest('hex').slice(0, 32)}`;
}

/**
 * Takes a lock if no other process of this machine has it. Closing the server lets go of it; it does not keep this
 * process alive.
 */
export function tryLock(name: string): Promise<Server | undefined> {
  const path = socketName(name);
  return new Promise((resolve, reject) => {
    const server = createServer((socket) => socket.destroy());
    server.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EADDRINUSE') resolve(undefined);
      else reject(error);
    });
    server.listen({ path, exclusive: true }, () => resolve(server.unref()));
  });
}

/**
 * Does something while no other process of this machine does it under the same name.
 * The lock is an abstract Unix socket: the kernel lets go of it when its holder ends, however it ends, so there is no
 * stale lock file to judge.
 */
export async function withLock<T>(name: string, log: Log, signal: AbortSignal, work: () => Promise<T>): Promise<T> {
  let held = await tryLock(name);
  for (let waited = 0; held === undefined; waited++) {
    if (waited % 30 === 0) log(`waiting for another rig on this machine (${name}) …`);
    await sleep(500, undefined, { signal });
    held = await tryLock(name);
  }
  const server = held;
  try {
    return await work();
  } finally {
    await new Promise<void>((resolve) => server.close(() => resolve()));
  }
}
