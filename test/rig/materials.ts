import { buildBuildkit, buildBuildx, buildKubernetes } from './builds/go-binaries.ts';
import { installPrefect, installUv } from './builds/prefect-environment.ts';
import { flowBaseImage } from './images/flow-base.ts';
import { nodeBaseImage } from './images/node-base.ts';
import { pauseImage } from './images/pause.ts';
import type { PartGroup, Plan } from './plan.ts';
import type { Log } from './progress.ts';

/** What the parts are started from: binaries, environments and images, all in the cache. */
export interface Materials {
  readonly kubernetes?: Plan['kubernetes'];
  readonly buildkitd?: Plan['buildkitd'];
  readonly prefect?: Plan['prefect'];
  readonly images: Plan['images'];
  readonly buildx?: string;
}

/**
 * Makes what this machine does not have yet. Compiling uses every processor, so one program is built after the other;
 * installing and making images mostly wait for the network, beside it.
 *
 * @throws RigError naming the build, with the end of its log; the other builds have ended too then.
 */
export async function makeMaterials(groups: readonly PartGroup[], log: Log, signal: AbortSignal): Promise<Materials> {
  const failed = new AbortController();
  const either = AbortSignal.any([signal, failed.signal]);
  const has = (group: PartGroup): boolean => groups.includes(group);
  const works = [
    async () => {
      const buildx = has('docker') || has('buildkit') ? { buildx: await buildBuildx(log, either) } : {};
      const buildkitd = has('buildkit') ? { buildkitd: await buildBuildkit(log, either) } : {};
      return {
        ...buildx,
        ...buildkitd,
        ...(has('kubernetes') ? { kubernetes: await buildKubernetes(log, either) } : {}),
      };
    },
    async () => {
      if (!has('prefect') && !has('registry')) return {};
      const uv = await installUv(log, either);
      const prefect = has('prefect') ? { prefect: await installPrefect(uv, log, either) } : {};
      if (!has('registry')) return prefect;
      const flow = await flowBaseImage(uv, log, either);
      const node = await nodeBaseImage(process.execPath, log, either);
      return { ...prefect, images: [await pauseImage(log, either), flow, node] };
    },
  ].map((work) =>
    work().catch((error: unknown): never => {
      failed.abort(error); // Only the first reason stays.
      throw error;
    }),
  );
  const ends = await Promise.allSettled(works);
  signal.throwIfAborted();
  if (failed.signal.aborted) throw failed.signal.reason;
  const made = ends.map((end) => (end.status === 'fulfilled' ? end.value : {}));
  return { images: [], ...made[0], ...made[1] };
}
