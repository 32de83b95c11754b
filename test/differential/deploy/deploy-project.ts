import { realpath, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { change, checkOut, type Project, STAGES, type Stage } from './project.ts';
import type { Server } from './server.ts';
import type { Side } from './sides.ts';
import { added, type Records, readRecords, type Snapshot, type Span, snapshotOf } from './snapshot.ts';

/** What a server had after each deploy, and whether the deploy said that all is well. */
export type Recording = Readonly<Record<Stage, Snapshot>>;

export interface Deployed {
  readonly recording: Recording;
  readonly logs: Readonly<Record<Stage, string>>;
}

/**
 * Deploys a project three times to a server (as it is, again, changed), reads the server after each, and removes what
 * was made.
 *
 * @param parent an existing folder for the checkout, which is removed.
 * @throws when the server had a deployment that the project writes to.
 */
export async function deployProject(project: Project, side: Side, server: Server, parent: string): Promise<Deployed> {
  const before = await readRecords(server);
  let checkout = await checkOut(project, parent);
  const places = { [await realpath(parent)]: '<parent>', [parent]: '<parent>' };
  const spans: Span[] = [];
  const snapshots: [Stage, Snapshot][] = [];
  const logs: [Stage, string][] = [];
  try {
    for (const stage of STAGES) {
      if (stage === 'changed') checkout = await change(project, checkout);
      const from = Date.now();
      const { succeeded, log } = await side(project, checkout, server.apiUrl);
      spans.push({ stage, from: Math.floor(from / 1000) * 1000, until: Date.now() });
      const now = await readRecords(server);
      assertUntouched(before, now);
      snapshots.push([stage, { succeeded, ...snapshotOf(added(now, before), spans, places) }]);
      logs.push([stage, log]);
    }
  } finally {
    await removeAdded(server, before);
    await rm(parent, { recursive: true, force: true });
  }
  return { recording: byStage(snapshots), logs: byStage(logs) };
}

function byStage<T>(pairs: readonly [Stage, T][]): Record<Stage, T> {
  return Object.fromEntries(pairs) as Record<Stage, T>;
}

function assertUntouched(before: Records, now: Records): void {
  const updated = new Map(now.deployments.map((one) => [one.id, one.updated]));
  const touched = before.deployments.find((one) => updated.get(one.id) !== one.updated);
  if (touched !== undefined) throw new Error(`the server had the deployment ${String(touched.name)} already`);
}

async function removeAdded(server: Server, before: Records): Promise<void> {
  const made = added(await readRecords(server), before);
  const known = new Set(before.flows.map(({ id }) => id));
  for (const { id } of made.automations) await server.ask('DELETE', `/automations/${String(id)}`);
  for (const { id } of made.deployments) await server.ask('DELETE', `/deployments/${String(id)}`);
  for (const { id } of made.flows) if (!known.has(id)) await server.ask('DELETE', `/flows/${String(id)}`);
  for (const { id } of made.queues) await server.ask('DELETE', `/work_queues/${String(id)}`);
  for (const { id } of added(await readRecords(server), before).limits) {
    await server.ask('DELETE', `/v2/concurrency_limits/${String(id)}`);
  }
}

/** Where one side of one project is checked out; both sides get folders whose own name is the project's. */
export function parentOf(folder: string, project: Project, side: string): string {
  return join(folder, side, project.name);
}
