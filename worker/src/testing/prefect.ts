import { openPrefectApi, type PrefectApi } from '@slipway/prefect/client';
import { readSettings } from '@slipway/prefect/settings';
import type { World } from '../world.ts';
import { type Reply, type Seen, serve, type TestServer } from './server.ts';

/** A Prefect API that answers as told, and a client of it that tries once. */
export interface TestPrefect {
  readonly api: PrefectApi;
  /** What was asked, as `POST /work_pools/k/…`. */
  readonly asked: () => string[];
  readonly bodies: () => unknown[];
  close(): Promise<void>;
}

/** @param answer is given each request, its path below the API's URL, and how many came before it. */
export async function servePrefect(
  world: World,
  answer: (request: Seen, index: number) => Reply,
): Promise<TestPrefect> {
  const seen: Seen[] = [];
  const server: TestServer = await serve((request) => {
    const below = { ...request, path: decodeURIComponent(request.path.replace(/^\/api/, '')) };
    if (below.path === '/csrf-token') return { status: 422, json: { detail: 'CSRF protection is disabled.' } };
    seen.push(below);
    return answer(below, seen.length - 1);
  });
  const settings = readSettings({ PREFECT_API_URL: `${server.url}/api`, PREFECT_CLIENT_MAX_RETRIES: '0' });
  const api = openPrefectApi(settings, { ...world, product: 'test' });
  return {
    api,
    asked: () => seen.map(({ method, path }) => `${method} ${path}`),
    bodies: () => seen.map(({ body }): unknown => (body === '' ? undefined : JSON.parse(body))),
    async close() {
      await api.close();
      await server.close();
    },
  };
}
