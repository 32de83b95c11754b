import { request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { connect } from 'node:net';
import * as z from 'zod';

/** How a part is asked whether it is well: an HTTP address that answers 200, over TCP or a Unix socket, or a socket that takes connections. */
export const Probe = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('http'), url: z.url() }),
  z.object({ kind: z.literal('socket'), socket: z.string(), httpPath: z.string().optional() }),
]);
export type Probe = z.infer<typeof Probe>;

/** Longer than any healthy part takes to answer, also on a busy machine. */
const DEADLINE_MS = 5_000;

/** Asks once; false for every other answer than 200, for none within 5 s, and for no server. Never throws. */
export function isHealthy(probe: Probe): Promise<boolean> {
  switch (probe.kind) {
    case 'http':
      return answersOk(probe.url, undefined);
    case 'socket':
      return probe.httpPath === undefined
        ? takesConnections(probe.socket)
        : answersOk(`http://localhost${probe.httpPath}`, probe.socket);
  }
}

function answersOk(url: string, socketPath: string | undefined): Promise<boolean> {
  return new Promise((resolve) => {
    const options = {
      timeout: DEADLINE_MS,
      agent: false as const,
      ...(socketPath === undefined ? {} : { socketPath }),
    };
    // Certificates are the parts' own, made at start; who answers is proven by the listening socket's owner instead.
    const call = url.startsWith('https:')
      ? httpsRequest(url, { ...options, rejectUnauthorized: false })
      : httpRequest(url, options);
    call.once('response', (response) => {
      response.resume();
      resolve(response.statusCode === 200);
    });
    call.once('timeout', () => call.destroy());
    call.once('error', () => resolve(false));
    call.once('close', () => resolve(false));
    call.end();
  });
}

function takesConnections(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path);
    socket.setTimeout(DEADLINE_MS, () => socket.destroy());
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
    socket.once('close', () => resolve(false));
  });
}
