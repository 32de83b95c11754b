import type { TestProject } from 'vitest/node';
import { buildWorker } from '../../scripts/build-worker.ts';
import { startRig } from '../rig/rig.ts';
import type { Rig } from '../rig/rig-description.ts';

declare module 'vitest' {
  export interface ProvidedContext {
    rig: Omit<Rig, 'stop'>;
  }
}

/** One rig for all end-to-end tests, stopped whatever happens. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  await buildWorker();
  const stopping = new AbortController();
  const stopOnSignal = (): void => stopping.abort(new Error('interrupted'));
  process.once('SIGINT', stopOnSignal);
  process.once('SIGTERM', stopOnSignal);
  const { stop, ...rig } = await startRig({ log: (line) => console.log(line), signal: stopping.signal });
  project.provide('rig', rig);
  return stop;
}
