import { createSocket } from 'node:dgram';
import { readFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { join } from 'node:path';
import * as z from 'zod';
import { answerQuery } from './dns.ts';

/** One way out of the enclosure: what connects to an address inside is joined with a Unix socket outside. */
const Door = z.object({ address: z.string(), port: z.int(), socket: z.string() });
export type Door = z.infer<typeof Door>;

/** What this program is told, in `doors.json` of the folder it is given. */
const Doors = z.object({ hosts: z.array(z.string()), doors: z.array(Door) });
export type Doors = { readonly hosts: readonly string[]; readonly doors: readonly Door[] };

/** The program inside the enclosure (enclosure.ts): opens the doors, answers DNS, ends with its owner. */
async function main(folder: string): Promise<void> {
  process.on('disconnect', () => process.exit(0));
  const { hosts, doors } = Doors.parse(JSON.parse(readFileSync(join(folder, 'doors.json'), 'utf8')));
  await Promise.all([...doors.map(open), answerNames(hosts)]);
  process.send?.('ready');
}

function open({ address, port, socket }: Door): Promise<void> {
  const server = createServer({ allowHalfOpen: true }, (inside) => {
    const outside = connect({ path: socket, allowHalfOpen: true });
    inside.pipe(outside).pipe(inside);
    inside.on('error', () => outside.destroy());
    outside.on('error', () => inside.resetAndDestroy());
    inside.on('close', () => outside.destroy());
    outside.on('close', () => inside.destroySoon());
  });
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, address, resolve);
  });
}

function answerNames(hosts: readonly string[]): Promise<void> {
  const server = createSocket('udp4');
  server.on('message', (query, from) => {
    const answer = answerQuery(query, hosts);
    if (answer !== undefined) server.send(answer, from.port, from.address);
  });
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.bind(53, '127.0.0.1', resolve);
  });
}

await main(process.argv[2] ?? '');
