import * as z from 'zod';
import { PartGroup } from './plan.ts';
import { startRig } from './rig.ts';
import { removeUpState, writeUpState } from './up-state.ts';

/**
 * The process that `rig up` leaves behind: it owns the rig, and the rig ends with it. It talks with the command that
 * started it until the rig is ready; when that command ends before, so does the rig.
 */
export const FromSupervisor = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('log'), line: z.string() }),
  z.object({ kind: z.literal('ready') }),
  z.object({ kind: z.literal('failed'), message: z.string() }),
]);
export type FromSupervisor = z.infer<typeof FromSupervisor>;

async function supervise(): Promise<void> {
  const parts = z.array(PartGroup).parse(process.argv.slice(2));
  const stopping = new AbortController();
  const stop = (): void => stopping.abort(new Error('the rig was told to stop'));
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, stop);
  process.once('disconnect', stop);
  const tell = (message: FromSupervisor): void => {
    if (process.connected) process.send?.(message);
  };
  const log = (line: string): void => {
    console.log(`${new Date().toISOString()} ${line}`);
    tell({ kind: 'log', line });
  };
  try {
    const rig = await startRig({ log, signal: stopping.signal, parts });
    writeUpState(rig.description);
    process.removeListener('disconnect', stop);
    tell({ kind: 'ready' });
    if (process.connected) process.disconnect();
    const awake = setInterval(() => undefined, 1 << 30);
    if (!stopping.signal.aborted) await new Promise((resolve) => stopping.signal.addEventListener('abort', resolve));
    clearInterval(awake);
    await rig.stop();
    removeUpState();
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    console.error(message);
    tell({ kind: 'failed', message });
    process.exitCode = 1;
    if (process.connected) process.disconnect();
  }
}

if (import.meta.main) await supervise();
