import {
  createServer,
  Agent as HttpAgent,
  request as httpRequest,
  type IncomingMessage,
  type ServerResponse,
} from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';
import type { AddressInfo } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';
import { type Asked, errorBody, type Fault, isWatch, type Side } from './faults.ts';

/** What becomes of a request; it may be long in coming, to hold the request up until something else has happened. */
export type Decide = (asked: Asked) => Fault | Promise<Fault>;

/** A way to a server on which things go wrong. */
export interface ChaosProxy {
  /** `http://127.0.0.1:PORT` */
  readonly url: string;
  /** How often each kind of fault has been met; answers by their status. */
  readonly met: ReadonlyMap<string, number>;
  close(): Promise<void>;
}

export interface ChaosTarget {
  readonly side: Side;
  /** The server's address, without a path. */
  readonly origin: string;
  /** The certificate to trust, as PEM. */
  readonly ca?: string;
}

/**
 * Stands before one server and does to requests what a network, or a server in trouble, does.
 *
 * Failure model: a request is read whole before its fate begins, so a caller that is killed in the middle of one has
 * asked nothing. What `decide` lets through is sent once and never repeated here.
 */
export async function startChaosProxy({ side, origin, ca }: ChaosTarget, decide: Decide): Promise<ChaosProxy> {
  const secure = origin.startsWith('https:');
  const agent = secure
    ? new HttpsAgent({ keepAlive: true, ...(ca === undefined ? {} : { ca }) })
    : new HttpAgent({ keepAlive: true });
  const send = secure ? httpsRequest : httpRequest;
  const met = new Map<string, number>();
  const stopping = new AbortController();

  /** Asks the server. @returns undefined when it did not answer. */
  function ask(incoming: IncomingMessage, body: Buffer): Promise<IncomingMessage | undefined> {
    const { promise, resolve } = Promise.withResolvers<IncomingMessage | undefined>();
    const { host: _host, connection: _connection, 'transfer-encoding': _encoding, ...headers } = incoming.headers;
    const length = incoming.method === 'GET' ? {} : { 'content-length': String(body.length) };
    const options = { method: incoming.method, headers: { ...headers, ...length }, agent };
    const onward = send(new URL(incoming.url ?? '/', origin), options, resolve);
    onward.on('error', () => resolve(undefined));
    onward.end(body);
    return promise;
  }

  async function serve(incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
    const body = Buffer.concat(await incoming.toArray());
    const asked: Asked = { side, method: incoming.method ?? 'GET', url: incoming.url ?? '/', body: body.toString() };
    const fault = await decide(asked);
    const label = fault.kind === 'answer' ? String(fault.status) : fault.kind;
    met.set(label, (met.get(label) ?? 0) + 1);
    if (fault.kind === 'reset') {
      incoming.socket.resetAndDestroy();
      return;
    }
    if (fault.kind === 'answer') {
      const retryAfter = fault.retryAfter === undefined ? {} : { 'retry-after': String(fault.retryAfter) };
      outgoing.writeHead(fault.status, { 'content-type': 'application/json', ...retryAfter });
      outgoing.end(errorBody(side, fault.status, fault.reason));
      return;
    }
    if (fault.kind === 'stall') await wait(fault.ms, undefined, { signal: stopping.signal });
    if (outgoing.destroyed) return;
    const answer = await ask(incoming, body);
    if (answer === undefined || fault.kind === 'lost') {
      if (answer !== undefined) await answer.toArray();
      incoming.socket.resetAndDestroy();
      return;
    }
    if (fault.kind === 'late') await wait(fault.ms, undefined, { signal: stopping.signal });
    if (fault.kind === 'withheld') {
      fault.done();
      await fault.until;
    }
    const { connection: _hop, 'keep-alive': _alive, ...headers } = answer.headers;
    outgoing.writeHead(answer.statusCode ?? 502, headers);
    outgoing.once('close', () => answer.destroy());
    answer.once('error', () => outgoing.destroy());
    answer.pipe(outgoing);
    if (isWatch(asked)) outgoing.flushHeaders();
    if (fault.kind === 'cut') {
      await wait(fault.ms, undefined, { signal: stopping.signal });
      outgoing.destroy();
    }
  }

  const server = createServer((incoming, outgoing) => {
    // Whoever asked may be killed at any moment: its broken connection is its own affair.
    serve(incoming, outgoing).catch(() => outgoing.destroy());
  });
  await new Promise<void>((ready) => server.listen(0, '127.0.0.1', ready));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    met,
    async close() {
      stopping.abort(new Error('the proxy is closed'));
      server.closeAllConnections();
      agent.destroy();
      await new Promise((closed) => server.close(closed));
    },
  };
}
