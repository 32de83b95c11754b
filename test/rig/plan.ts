import * as z from 'zod';
import { Probe } from './probe.ts';

/**
 * What can be started. Those that need images bring the registry with them; with `postgresql` the Prefect server keeps
 * its data there instead of in SQLite.
 */
export const PartGroup = z.enum(['prefect', 'postgresql', 'registry', 'docker', 'buildkit', 'kubernetes']);
export type PartGroup = z.infer<typeof PartGroup>;

/** An image folder made by images/image.ts, and the names it has in the registry. */
export const SeededImage = z.object({ folder: z.string(), repository: z.string(), tags: z.array(z.string()) });
export type SeededImage = z.infer<typeof SeededImage>;

/** Everything the enclosure needs to know to start the parts: made ready by the owner, sent as one message. */
export const Plan = z.object({
  id: z.string(),
  folder: z.string(),
  /** The rig's record (rig-record.ts), to be undone at the end. */
  recordFile: z.string(),
  groups: z.array(PartGroup),
  /** readlink /proc/self/ns/pid of the owner: what the enclosure must not be in. */
  outsideNamespace: z.string(),
  kubernetes: z.string().optional(),
  buildkitd: z.string().optional(),
  prefect: z.object({ folder: z.string(), python: z.string(), database: z.string() }).optional(),
  images: z.array(SeededImage),
});
export type Plan = z.infer<typeof Plan>;

/** One part that answers. `pid` is as seen by whoever holds the value. */
export const PartStatus = z.object({ name: z.string(), pid: z.int(), address: z.string(), probe: Probe });
export type PartStatus = z.infer<typeof PartStatus>;

/** Where the parts are reached; only of the groups that were asked for. */
export const Addresses = z.object({
  prefectUiUrl: z.string().optional(),
  registry: z.string().optional(),
  dockerHost: z.string().optional(),
  buildkit: z.string().optional(),
  kubeconfigPath: z.string().optional(),
  kubernetesApiUrl: z.string().optional(),
});
export type Addresses = z.infer<typeof Addresses>;

/** From the owner to the enclosure. */
export const ToEnclosure = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('start'), plan: Plan }),
  z.object({ kind: z.literal('stop') }),
]);
export type ToEnclosure = z.infer<typeof ToEnclosure>;

/** From the enclosure to its owner. */
export const FromEnclosure = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('log'), line: z.string() }),
  z.object({ kind: z.literal('ready'), addresses: Addresses, parts: z.array(PartStatus) }),
  z.object({ kind: z.literal('failed'), message: z.string() }),
]);
export type FromEnclosure = z.infer<typeof FromEnclosure>;
