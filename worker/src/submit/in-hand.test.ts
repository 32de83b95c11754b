import { openPrefectApi, type PrefectApi } from '@slipway/prefect/client';
import { readSettings } from '@slipway/prefect/settings';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { DueRun, NotClaimed } from '../claim/model.ts';
import type { WorkerConfig } from '../config/config.ts';
import { claimId, flowRunId, scheduledStateId } from '../ids.ts';
import { openMetrics } from '../ops/metrics.ts';
import { serve, type TestServer } from '../testing/server.ts';
import { testWorld } from '../testing/world.ts';
import { workOnRun } from './in-hand.ts';
import type { StartServices } from './start.ts';

const DUE: DueRun = {
  id: flowRunId('run'),
  scheduledState: scheduledStateId('scheduled'),
  polledAt: testWorld().clock.now(),
  run: { id: 'run', name: 'busy-bee', flow_id: 'flow', tags: [], parameters: {}, run_count: 0, total_run_time: 0 },
};
const ORPHAN_AFTER_MS = 30_000;
const STOPPING: NotClaimed = { won: false, why: 'stopping', reason: 'the worker stops' };

describe('a run in hand when the worker has to stop', () => {
  let server: TestServer;
  let api: PrefectApi;

  beforeEach(async () => {
    const accepted = { status: 'ACCEPT', state: { type: 'SCHEDULED' }, details: {} };
    server = await serve(({ path }) =>
      path.endsWith('/set_state') ? { status: 201, json: accepted } : { status: 404 },
    );
    api = openPrefectApi(readSettings({ PREFECT_API_URL: server.url }), { ...testWorld(), product: 'test' });
  });
  afterEach(async () => {
    await api.close();
    await server.close();
  });

  async function statesProposedFor(due: DueRun): Promise<string[]> {
    const metrics = openMetrics({
      inHand: () => 0,
      liveJobs: () => 0,
      channelOpen: () => false,
      windows: () => ({ prefect: 32, kubernetes: 32 }),
    });
    // Only these are reached before a claim is won.
    const config = {
      repair: { orphanAfterMs: ORPHAN_AFTER_MS, intervalMs: 1 },
    } as Partial<WorkerConfig> as WorkerConfig;
    const services = { api, metrics, config, world: testWorld() } as Partial<StartServices> as StartServices;
    const { signal } = new AbortController();
    await workOnRun(due, async () => STOPPING, services, { stop: signal, cut: signal });
    return server.seen.filter(({ path }) => path.endsWith('/set_state')).map(({ path }) => path);
  }

  it('is handed back when this worker claimed it', async () => {
    expect(await statesProposedFor(DUE)).toEqual(['/flow_runs/run/set_state']);
  });

  it.each([
    ['is handed back long before a sweep would take it up', 7_501, 1],
    ['stays Pending when a sweep may have it before it is back', 7_500, 0],
    ['stays Pending when a sweep may have it already', 0, 0],
  ])('%s', async (_about, leftMs, proposals) => {
    const polledAt = DUE.polledAt - ORPHAN_AFTER_MS + leftMs;
    expect(await statesProposedFor({ ...DUE, polledAt })).toHaveLength(proposals);
  });

  it('stays Pending when it was taken up: another replica may have made its Job by now', async () => {
    expect(await statesProposedFor({ ...DUE, interrupted: { claimId: claimId('ours'), since: 1 } })).toEqual([]);
  });
});
