import { createServer } from 'node:net';
import { describe, expect, it } from 'vitest';
import { listeningInodes, listensOn, pickPorts } from './ports.ts';

function listen(port: number): Promise<{ close(): Promise<void> }> {
  const server = createServer();
  return new Promise((resolve) => {
    server.listen({ host: '127.0.0.1', port }, () => {
      resolve({ close: () => new Promise((closed) => server.close(() => closed())) });
    });
  });
}

describe('picking ports', () => {
  it('gives different ports below the range of outgoing connections', async () => {
    const { ports, release } = await pickPorts(9);
    expect(new Set(ports).size).toBe(9);
    expect(ports.every((port) => port >= 20_000 && port < 32_768)).toBe(true);
    release();
  });

  it('never gives two rigs the same, though no server listens yet', async () => {
    const one = await pickPorts(9);
    const same = ((one.ports[0] ?? 0) - 20_000) / 12_000;
    const draws = [same, same];
    const other = await pickPorts(9, () => draws.shift() ?? Math.random());
    expect(other.ports.filter((port) => one.ports.includes(port))).toEqual([]);
    one.release();
    other.release();
  });

  it('passes over a block with a port that is taken', async () => {
    const { ports, release } = await pickPorts(9);
    release();
    const server = await listen(ports[5] ?? 0);
    const draws = [((ports[0] ?? 0) - 20_000) / 12_000];
    const other = await pickPorts(9, () => draws.shift() ?? Math.random());
    expect(other.ports).not.toContain(ports[5]);
    other.release();
    await server.close();
  });

  it('gives up when no block is free', async () => {
    const { ports, release } = await pickPorts(9);
    await expect(pickPorts(9, () => ((ports[0] ?? 0) - 20_000) / 12_000)).rejects.toThrow('no 9 free ports');
    release();
  });
});

describe('who listens on a port', () => {
  it("is read from the kernel's table: only sockets that listen, only that port", () => {
    const table = [
      '  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode',
      '   0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 111 1 0 100 0 0 10 0',
      '   1: 0100007F:1F90 0100007F:C001 01 00000000:00000000 00:00000000 00000000     0        0 222 1 0 100 0 0 10 0',
      '   2: 0100007F:1F91 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 333 1 0 100 0 0 10 0',
    ].join('\n');
    expect(listeningInodes(table, 8080)).toEqual(['111']);
  });

  it('is this process for its own server, and not its parent', async () => {
    const { ports, release } = await pickPorts(1);
    const port = ports[0] ?? 0;
    const server = await listen(port);
    expect(listensOn(process.pid, port)).toBe(true);
    expect(listensOn(process.ppid, port)).toBe(false);
    await server.close();
    release();
    expect(listensOn(process.pid, port)).toBe(false);
  });
});
