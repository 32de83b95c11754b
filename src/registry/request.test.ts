import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openTestWorld, type TestWorld } from '../source/testing-world.ts';
import { NoAnswer, type RegistryRequest, send } from './request.ts';

const AUTHORIZATION = 'Basic Ym9iOnB3';

/** Two servers on this machine: another port is another origin. */
describe('a request to a registry', () => {
  let world: TestWorld;
  let registry: Server;
  let other: Server;
  let target: string;
  let seen: string[];
  beforeEach(async () => {
    world = await openTestWorld();
    seen = [];
    registry = await serve('registry', (path) => (path === '/start' ? target : undefined));
    other = await serve('other', () => undefined);
  });
  afterEach(async () => {
    for (const server of [registry, other]) await new Promise((closed) => server.close(closed));
    await world.close();
  });

  it.each<[string, (here: string, there: string) => string, string]>([
    ['keeps its Authorization on the same origin', (here) => `${here}/end`, `registry /end ${AUTHORIZATION}`],
    ['keeps it with a relative address', () => '/end', `registry /end ${AUTHORIZATION}`],
    ['shows it to no other origin', (_here, there) => `${there}/end`, 'other /end -'],
  ])('that is redirected %s', async (_what, location, expected) => {
    target = location(origin(registry), origin(other));
    const answer = await ask({ method: 'GET', authorization: AUTHORIZATION, redirects: 'follow' });
    expect(answer.status).toBe(200);
    expect(seen).toEqual([`registry /start ${AUTHORIZATION}`, expected]);
  });

  it.each<[string, string, RegistryRequest, string]>([
    ['to plain HTTP elsewhere', 'http://registry.example/end', { method: 'GET', redirects: 'follow' }, 'plain http'],
    ['in a circle', '/start', { method: 'GET', redirects: 'follow' }, 'too many redirects'],
    ['with a secret in its body', '/end', { method: 'POST', redirects: 'refuse' }, 'redirect'],
    ['with a manifest', '/end', { method: 'PUT', redirects: 'refuse' }, 'redirect'],
  ])('is not followed %s', async (_what, location, request, code) => {
    target = location;
    const error = await ask({ ...request, authorization: AUTHORIZATION }).catch((caught: unknown) => caught);
    expect(error).toBeInstanceOf(NoAnswer);
    expect(error).toMatchObject({ code });
    expect(seen.every((line) => line.startsWith('registry /start '))).toBe(true);
  });

  it.each([
    'http://registry.example/',
    'http://10.0.0.1/',
    'http://localhost.example/',
    'http://127.0.0.1.example/',
  ])('is not sent to %s at all', async (address) => {
    const sent = send({ ...world, fetch: refuse }, new URL(address), { method: 'GET', redirects: 'follow' });
    await expect(sent).rejects.toMatchObject({ code: 'plain http' });
  });

  function ask(request: RegistryRequest) {
    return send({ ...world, fetch }, new URL('/start', origin(registry)), request);
  }

  async function serve(name: string, locationOf: (path: string) => string | undefined): Promise<Server> {
    const server = createServer(({ url = '', headers }, response) => {
      seen.push(`${name} ${url} ${headers.authorization ?? '-'}`);
      const location = locationOf(url);
      response.writeHead(location === undefined ? 200 : 307, location === undefined ? {} : { location }).end();
    });
    await new Promise<void>((ready) => server.listen(0, '127.0.0.1', ready));
    return server;
  }

  function origin(server: Server): string {
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  }

  function refuse(): Promise<Response> {
    throw new Error('it was sent');
  }
});
