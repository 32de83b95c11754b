import { describe, expect, it } from 'vitest';
import { type AppliedDeployment, deploymentName } from '../deploy/model.ts';
import { type Received, type Reply, written } from '../deploy/testing-server.ts';
import type { RunRequest } from '../inputs/run-requests.ts';
import { startRuns } from './start.ts';

const DEPLOYMENTS = ['a', 'b'].map((id) => ({ id, name: id, flow_id: 'f' }));
const APPLIED = DEPLOYMENTS.map(({ id, name }): AppliedDeployment => {
  return { id, name: deploymentName('f', name), action: 'unchanged' };
});

/** Starts runs of the deployments f/a and f/b; what a server of ours was asked for each, and what came of it. */
async function started(requests: readonly RunRequest[], reply: (run: Received, index: number) => Reply | undefined) {
  const remembered: string[] = [];
  let runs = 0;
  const { received } = await written(
    async ({ api, log, signal }) => {
      const made = await startRuns(requests, APPLIED, api, log, ({ id }) => remembered.push(id), signal);
      expect(made.map(({ id }) => id)).toEqual(remembered);
    },
    (request) => {
      if (request.path === '/deployments/filter') return { status: 200, body: DEPLOYMENTS };
      runs += 1;
      return reply(request, runs) ?? { status: 201, body: { id: `run-${runs}`, name: 'brave-otter', parameters: {} } };
    },
    { PREFECT_CLIENT_MAX_RETRIES: '3' },
  );
  const asked = received.filter(({ path }) => path.endsWith('/create_flow_run'));
  return { remembered, keys: asked.map(({ body }) => (body as { idempotency_key: string }).idempotency_key), asked };
}

describe('a run', () => {
  it('is sent with the same key however often the answer is lost', async () => {
    const { keys, remembered } = await started([{ deployment: 'a', parameters: {} }], (_run, index) =>
      index < 3 ? { status: 503 } : undefined,
    );
    expect(keys).toHaveLength(3);
    expect(new Set(keys).size).toBe(1);
    expect(remembered).toEqual(['run-3']);
  });

  it('has a key of its own, also beside another of the same flow, whose keys Prefect does not tell apart', async () => {
    const requests = ['a', 'b', 'a'].map((deployment) => ({ deployment, parameters: {} }));
    const { keys, asked } = await started(requests, () => undefined);
    expect(new Set(keys).size).toBe(3);
    expect(asked.map(({ path }) => path)).toEqual([
      '/deployments/a/create_flow_run',
      '/deployments/b/create_flow_run',
      '/deployments/a/create_flow_run',
    ]);
  });

  it('is remembered before the next one is asked for', async () => {
    const requests = ['a', 'b'].map((deployment) => ({ deployment, parameters: {} }));
    const remembered: string[] = [];
    const starting = written(
      async ({ api, log, signal }) => {
        await startRuns(requests, APPLIED, api, log, ({ id }) => remembered.push(id), signal);
      },
      ({ path }) => {
        if (path === '/deployments/filter') return { status: 200, body: DEPLOYMENTS };
        return path.includes('/b/')
          ? { status: 409, body: { detail: 'x is a required property' } }
          : { status: 201, body: { id: 'run-a', name: 'n' } };
      },
    );
    await expect(starting).rejects.toThrow('the server refused to start f/b: x is a required property');
    expect(remembered).toEqual(['run-a']);
  });
});
