import type { TestProject } from 'vitest/node';
import { buildWorker } from '../../scripts/build-worker.ts';
import { startRig } from '../rig/rig.ts';
import type { Rig } from '../rig/rig-description.ts';

/** The addresses of the rig, as far as tests use them: what can be handed to another process. */
export type RigAddresses = Pick<
  Rig,
  | 'parts'
  | 'prefectApiUrl'
  | 'prefectEnvironment'
  | 'registry'
  | 'dockerHost'
  | 'dockerConfigDir'
  | 'kubeconfigPath'
  | 'kubernetesPort'
  | 'env'
>;

declare module 'vitest' {
  export interface ProvidedContext {
    rig: RigAddresses;
  }
}

/** One rig for all end-to-end tests, stopped whatever happens. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  await buildWorker();
  const stopping = new AbortController();
  const stopOnSignal = (): void => stopping.abort(new Error('interrupted'));
  process.once('SIGINT', stopOnSignal);
  process.once('SIGTERM', stopOnSignal);
  const rig = await startRig({ log: (line) => console.log(line), signal: stopping.signal });
  const {
    parts,
    prefectApiUrl,
    prefectEnvironment,
    registry,
    dockerHost,
    dockerConfigDir,
    kubeconfigPath,
    kubernetesPort,
    env,
  } = rig;
  project.provide('rig', {
    parts,
    prefectApiUrl,
    prefectEnvironment,
    registry,
    dockerHost,
    dockerConfigDir,
    kubeconfigPath,
    kubernetesPort,
    env,
  });
  return () => rig.stop();
}
