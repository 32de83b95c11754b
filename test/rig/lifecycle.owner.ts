import { startSleepingPod } from './cluster-proof.ts';
import { PartGroup } from './plan.ts';
import { marksOf } from './remains.ts';
import { startRig } from './rig.ts';

/**
 * A process that owns a rig and never stops it, for the proof of what happens when it is killed. Prints one JSON line
 * with the rig's marks when all is up; the rig has a pod and its shim running then.
 *
 * Usage: node lifecycle.owner.ts part...
 */
const parts = process.argv.slice(2).map((name) => PartGroup.parse(name));
const signal = new AbortController().signal;
const rig = await startRig({ log: (line) => console.error(line), signal, parts });
if (parts.includes('kubernetes')) await startSleepingPod(rig, signal);
console.log(JSON.stringify(marksOf(rig)));
setInterval(() => undefined, 1 << 30);
