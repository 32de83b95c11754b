import { resolve } from 'node:path';
import { type FlowRunRecord, openPrefectApi, readFlowRuns } from '@slipway/prefect/client';
import { isFinal } from '@slipway/prefect/states';
import { readInputs } from './inputs/inputs.ts';
import { readPrefectSettings } from './prefect-settings.ts';
import { removeDockerConfig } from './registry/docker-config.ts';
import { openRunnerWorld } from './runner-world.ts';
import { cancelRuns } from './runs/follow.ts';
import { readState } from './state.ts';
import type { World } from './world.ts';

/**
 * The post step: removes what main may have left (it does so itself unless it was killed) and cancels runs that a
 * killed main was following. It never fails the job: what cannot be undone is a warning, and keeps nothing else from
 * being undone.
 */
async function post(world: World): Promise<void> {
  const state = readState();
  for (const directory of state.directories) {
    await orWarn(() => removeDockerConfig(directory, world.files), world);
  }
  if (state.runs.length > 0) await orWarn(() => cancelUnfinished(state.runs, world), world);
}

async function orWarn(undo: () => Promise<void>, { log }: World): Promise<void> {
  try {
    await undo();
  } catch (error) {
    log.warning(`cleaning up: ${log.redact(error instanceof Error ? error.message : String(error))}`);
  }
}

async function cancelUnfinished(
  runs: readonly { readonly id: string; readonly name: string }[],
  world: World,
): Promise<void> {
  const inputs = readInputs(world.env);
  const directory = resolve(world.env.GITHUB_WORKSPACE || process.cwd(), inputs.workingDirectory);
  const settings = await readPrefectSettings(inputs, directory, world);
  for (const secret of settings.secrets) world.log.mask(secret);
  const api = openPrefectApi(settings, { ...world, product: 'slipway' });
  try {
    const records: readonly FlowRunRecord[] = await readFlowRuns(
      api,
      { ids: runs.map((run) => run.id) },
      AbortSignal.timeout(20_000),
    );
    const unfinished = records.filter((record) => record.state && !isFinal(record.state.type));
    await cancelRuns(unfinished, api, world.log);
  } finally {
    await api.close();
  }
}

const world = openRunnerWorld();
try {
  await orWarn(() => post(world), world);
} finally {
  world.close();
}
