import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openTestWorld, type TestWorld } from '../source/testing-world.ts';
import type { Credentials } from './model.ts';
import { provePush } from './push-proof.ts';

const BOB: Credentials = { kind: 'basic', username: 'bob', password: 'secret', source: 'the test' };

describe('provePush', () => {
  let world: TestWorld;
  let servers: Server[];
  let seen: { request: string; host: string | undefined; authorization: string | undefined }[];

  beforeEach(async () => {
    world = await openTestWorld();
    servers = [];
    seen = [];
  });
  afterEach(async () => {
    for (const server of servers) {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    }
    await world.close();
  });

  it('begins an upload and gives it up again', async () => {
    await prove((_request, response) => response.writeHead(202, { location: '/v2/team/hello/blobs/uploads/1' }).end());
    expect(seen.map(({ request, authorization }) => `${request} ${authorization}`)).toEqual([
      'POST /v2/team/hello/blobs/uploads/ Bearer token',
      'DELETE /v2/team/hello/blobs/uploads/1 Bearer token',
    ]);
  });

  it('follows an upload to no other host', async () => {
    const other = await serve((_request, response) => response.end());
    await prove((_request, response) => response.writeHead(202, { location: `http://${other}/1` }).end());
    await prove((_request, response) => response.writeHead(307, { location: `http://${other}/1` }).end());
    expect(seen.filter(({ host }) => host === other)).toEqual([]);
  });

  it('does not mind an upload that cannot be given up', async () => {
    const proving = prove((request, response) => {
      if (request.method === 'POST') response.writeHead(202, { location: '/1' }).end();
      else request.socket.destroy();
    });
    await expect(proving).resolves.toBeUndefined();
  });

  it('says that the repository does not exist', async () => {
    const body = '{"errors":[{"code":"NAME_UNKNOWN","message":"repository name not known to registry"}]}';
    const proving = prove((_request, response) => response.writeHead(404).end(body));
    await expect(proving).rejects.toThrow(/the repository team\/hello does not exist on .*: repository name not known/);
  });

  it.each<[number, string, RegExp]>([
    [401, '', /does not let team\/hello be pushed with the test$/],
    [403, '{"errors":[{"code":"DENIED","message":"no"}]}', /does not let team\/hello be pushed with the test: no$/],
    [400, 'Your Authorization Token is invalid.', /has expired or is not the registry’s: Your Authorization Token/],
  ])('says that the credentials may not push when the registry answers %i %s', async (status, body, message) => {
    const proving = prove((_request, response) => response.writeHead(status).end(body));
    await expect(proving).rejects.toThrow(message);
  });

  it('says that a sign-in is wanted where there is none', async () => {
    const proving = prove((_request, response) => response.writeHead(401).end(), 'none');
    await expect(proving).rejects.toThrow('wants a sign-in, and no credentials for it were found');
  });

  it.each([200, 400, 405, 500])('leaves it to the push what an answer %i means', async (status) => {
    await expect(prove((_request, response) => response.writeHead(status).end())).resolves.toBeUndefined();
  });

  async function prove(listener: RequestListener, who: 'bob' | 'none' = 'bob') {
    const credentials = who === 'bob' ? BOB : undefined;
    const host = await serve(listener);
    const repository = { host, path: 'team/hello' };
    const base = new URL(`http://${host}`);
    await provePush({ repository, credentials, world: { ...world, fetch }, base, authorization: 'Bearer token' });
  }

  async function serve(listener: RequestListener): Promise<string> {
    const server = createServer((request, response) => {
      const { method, url, headers } = request;
      seen.push({ request: `${method} ${url}`, host: headers.host, authorization: headers.authorization });
      listener(request, response);
    });
    servers.push(server);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return `127.0.0.1:${(server.address() as AddressInfo).port}`;
  }
});
