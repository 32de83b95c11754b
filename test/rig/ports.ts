import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { createServer } from 'node:net';
import { tryLock } from './lock.ts';

/**
 * Where ports are picked: below Linux's usual range for outgoing connections (32768 and up), so that no connection of
 * a neighbour takes a port between the moment it is picked and the moment its server listens. Each rig takes a block
 * of its own and holds a lock on it, so that no two rigs pick the same.
 */
const FIRST = 20_000;
const BLOCK = 16;
const BLOCKS = 750;

export interface PortBlock {
  readonly ports: readonly number[];
  /** Lets other rigs have the block. */
  release(): void;
}

/** Whether a server can listen on this port of 127.0.0.1 now. */
function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen({ host: '127.0.0.1', port, exclusive: true }, () => server.close(() => resolve(true)));
  });
}

/**
 * Picks free ports of 127.0.0.1, for this process as long as it lives.
 *
 * @param count how many, at most 16.
 * @param random uniform in [0, 1).
 * @throws Error when no block is free.
 */
export async function pickPorts(count: number, random: () => number = Math.random): Promise<PortBlock> {
  for (let tries = 0; tries < BLOCKS; tries++) {
    const first = FIRST + BLOCK * Math.floor(random() * BLOCKS);
    const lock = await tryLock(`ports from ${first}`);
    if (lock === undefined) continue;
    const ports = Array.from({ length: count }, (_, place) => first + place);
    const free = await Promise.all(ports.map(isFree));
    if (!free.includes(false)) return { ports, release: () => lock.close() };
    lock.close();
  }
  throw new Error(`no ${count} free ports side by side between ${FIRST} and ${FIRST + BLOCK * BLOCKS} on 127.0.0.1`);
}

/**
 * The socket inodes that listen on a port, from /proc/net/tcp or tcp6 (proc(5)): local address in field 2 as
 * HEXADDRESS:HEXPORT, state 0A = LISTEN in field 4, inode in field 10.
 */
export function listeningInodes(table: string, port: number): string[] {
  const suffix = `:${port.toString(16).toUpperCase().padStart(4, '0')}`;
  return table
    .split('\n')
    .slice(1)
    .map((line) => line.trim().split(/\s+/))
    .filter((fields) => fields[1]?.endsWith(suffix) === true && fields[3] === '0A')
    .flatMap((fields) => fields[9] ?? []);
}

/**
 * Whether the process itself holds the socket that listens on the port. A health check alone is not enough: another
 * server may have taken the port and answer in its place.
 */
export function listensOn(pid: number, port: number): boolean {
  const tables = ['tcp', 'tcp6'].map((name) => {
    try {
      return readFileSync(`/proc/${pid}/net/${name}`, 'utf8');
    } catch {
      return ''; // No IPv6 on this machine, or the process has ended.
    }
  });
  const wanted = new Set(tables.flatMap((table) => listeningInodes(table, port)).map((inode) => `socket:[${inode}]`));
  if (wanted.size === 0) return false;
  try {
    return readdirSync(`/proc/${pid}/fd`).some((fd) => {
      try {
        return wanted.has(readlinkSync(`/proc/${pid}/fd/${fd}`));
      } catch {
        return false;
      }
    });
  } catch {
    return false;
  }
}
