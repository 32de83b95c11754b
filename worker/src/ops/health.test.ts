import { Registry } from 'prom-client';
import { afterEach, describe, expect, it } from 'vitest';
import { testWorld } from '../testing/world.ts';
import { type HealthServer, serveHealth } from './health.ts';
import { openMetrics } from './metrics.ts';

let health: HealthServer | undefined;
afterEach(() => health?.close());

async function get(path: string, view: { readonly sincePollMs?: number; readonly ready?: boolean } = {}) {
  const { log } = testWorld();
  const { registry } = openMetrics({
    inHand: () => 2,
    liveJobs: () => 7,
    channelOpen: () => true,
    windows: () => ({ prefect: 4, kubernetes: 16 }),
  });
  health = await serveHealth(
    { host: '127.0.0.1', port: 0 },
    {
      ready: () => view.ready ?? true,
      sincePollMs: () => view.sincePollMs ?? 0,
      pollIntervalMs: 10_000,
      registry,
      log,
    },
  );
  const answer = await fetch(`http://127.0.0.1:${health.port}${path}`);
  return { status: answer.status, body: await answer.text() };
}

describe('health', () => {
  it.each([
    ['/health', {}, 200, '{"message":"OK"}'],
    ['/health', { sincePollMs: 300_000 }, 200, '{"message":"OK"}'],
    ['/health', { sincePollMs: 300_001 }, 503, '{"message":"Worker may be unresponsive at this time"}'],
    ['/health', { ready: false }, 200, '{"message":"OK"}'],
    ['/readyz', {}, 200, 'ok'],
    ['/readyz?verbose', {}, 200, 'ok'],
    ['/readyz', { ready: false }, 503, 'not ready'],
    ['/readyz', { sincePollMs: 300_001 }, 503, 'not ready'],
    ['/livez', { sincePollMs: 300_001, ready: false }, 200, 'ok'],
    ['/nothing', {}, 404, 'not found'],
  ])('%s %j: %i', async (path, view, status, body) => {
    expect(await get(path, view)).toEqual({ status, body });
  });

  it('comes with metrics', async () => {
    const { body } = await get('/metrics');
    expect(body).toContain('slipway_live_jobs 7');
    expect(body).toContain('slipway_runs_in_hand 2');
    expect(body).toContain('slipway_pace_window{server="prefect"} 4');
    expect(body).toContain('slipway_pace_window{server="kubernetes"} 16');
  });

  it('on a port that is taken is refused, with what to do', async () => {
    await get('/livez');
    const address = { host: '127.0.0.1', port: health?.port ?? 0 };
    const view = {
      ready: () => true,
      sincePollMs: () => 0,
      pollIntervalMs: 1,
      registry: new Registry(),
      log: testWorld().log,
    };
    await expect(serveHealth(address, view)).rejects.toMatchObject({
      name: 'ConfigError',
      message: expect.stringContaining('(EADDRINUSE)'),
    });
  });

  it('is not served unless it is asked for', async () => {
    const view = {
      ready: () => true,
      sincePollMs: () => 0,
      pollIntervalMs: 1,
      registry: new Registry(),
      log: testWorld().log,
    };
    expect((await serveHealth(undefined, view)).port).toBeUndefined();
  });
});
