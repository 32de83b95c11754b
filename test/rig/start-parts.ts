import { randomBytes } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { untilClusterReady } from './cluster-ready.ts';
import type { Part, Running, StartContext } from './part.ts';
import { apiserver } from './parts/apiserver.ts';
import { buildkitd } from './parts/buildkitd.ts';
import { containerd, warmNode } from './parts/containerd.ts';
import { controllerManager, scheduler } from './parts/control-loops.ts';
import { dockerd } from './parts/dockerd.ts';
import { etcd } from './parts/etcd.ts';
import { kubelet } from './parts/kubelet.ts';
import { databaseUrl, newPostgresqlPassword, postgresql } from './parts/postgresql.ts';
import { prefectServer } from './parts/prefect-server.ts';
import { registry } from './parts/registry.ts';
import type { Addresses, PartGroup, Plan } from './plan.ts';
import { pickPorts } from './ports.ts';
import { makeCgroup, makeDockerBridge, pickSubnet, traceNames } from './traces.ts';

const containerdSocket = (plan: Plan): string => join(plan.folder, 'data', 'containerd.sock');

/** Starts one part in a folder and with a log of its own. */
export type Start = (part: Part) => Promise<Running>;

/**
 * Starts every part of the plan, each as soon as what it needs is there.
 *
 * @returns where they are reached. Rejects with the first failure after every other start has come to an end.
 */
export async function startParts(
  plan: Plan,
  context: Omit<StartContext, 'folder' | 'logFile'>,
): Promise<{ addresses: Addresses; running: Running[] }> {
  const failed = new AbortController();
  const signal = AbortSignal.any([context.signal, failed.signal]);
  const running: Running[] = [];
  const start: Start = async (part) => {
    const folder = join(plan.folder, 'data', part.name);
    mkdirSync(folder);
    const started = await part.start({
      ...context,
      signal,
      folder,
      logFile: join(plan.folder, 'logs', `${part.name}.log`),
    });
    running.push(started);
    return started;
  };
  const { ports } = await pickPorts(10); // Held until this process ends.
  const [registryPort = 0, prefectPort = 0, postgresqlPort = 0, ...clusterPorts] = ports;
  const mirror = `http://127.0.0.1:${registryPort}`;
  makeCgroup(plan.id);

  const database = { port: postgresqlPort, password: newPostgresqlPassword() };
  const databaseStarted = plan.groups.includes('postgresql')
    ? start(postgresql(database)).then(() => databaseUrl(database))
    : undefined;

  const groups: Record<PartGroup, () => Promise<Addresses>> = {
    prefect: async () => {
      if (plan.prefect === undefined) throw new Error('the plan has no Prefect environment');
      const database = await databaseStarted;
      return { prefectUiUrl: (await start(prefectServer(prefectPort, plan.prefect, database))).address };
    },
    postgresql: async () => {
      await databaseStarted;
      return {};
    },
    registry: async () => {
      await start(registry(registryPort, plan.images));
      return { registry: `localhost:${registryPort}` };
    },
    docker: async () => {
      const { dockerBridge: bridge, cgroup } = traceNames(plan.id);
      await makeDockerBridge(plan.id, await pickSubnet());
      const socket = join(plan.folder, 'data', 'docker.sock');
      return { dockerHost: (await start(dockerd({ socket, mirror, bridge, cgroup }))).address };
    },
    buildkit: async () => {
      if (plan.buildkitd === undefined) throw new Error('the plan has no BuildKit binary');
      const socket = join(plan.folder, 'data', 'buildkit.sock');
      const { cgroup } = traceNames(plan.id);
      const mirrorHost = `127.0.0.1:${registryPort}`;
      const part = buildkitd({ buildkitd: plan.buildkitd, socket, mirror: mirrorHost, cgroup });
      return { buildkit: (await start(part)).address };
    },
    kubernetes: () => startKubernetes(plan, `localhost:${registryPort}`, clusterPorts, start, signal),
  };
  const starting = plan.groups.map((group) =>
    groups[group]().catch((error: unknown) => {
      failed.abort(error); // Only the first reason stays.
      throw error;
    }),
  );
  const ends = await Promise.allSettled(starting);
  if (failed.signal.aborted) throw failed.signal.reason;
  context.signal.throwIfAborted();
  if (plan.groups.includes('kubernetes')) {
    const names = plan.images.map(({ repository, tags }) => `localhost:${registryPort}/${repository}:${tags[0]}`);
    warmNode(containerdSocket(plan), names, context.env, join(plan.folder, 'logs', 'warm-node.log'));
  }
  const addresses = ends.map((end) => (end.status === 'fulfilled' ? end.value : {}));
  return { addresses: Object.assign({}, ...addresses) as Addresses, running };
}

/** etcd → API server → controllers and scheduler; containerd beside them; the kubelet when both are there. */
async function startKubernetes(
  plan: Plan,
  registryName: string,
  ports: readonly number[],
  start: Start,
  signal: AbortSignal,
): Promise<Addresses> {
  if (plan.kubernetes === undefined) throw new Error('the plan has no Kubernetes binary');
  const { kubernetes } = plan;
  const [
    etcdPort = 0,
    etcdPeerPort = 0,
    port = 0,
    managerPort = 0,
    schedulerPort = 0,
    kubeletPort = 0,
    kubeletHealthPort = 0,
  ] = ports;
  const data = join(plan.folder, 'data');
  const kubeconfig = join(data, 'kubeconfig');
  const serviceAccountKey = join(data, 'service-accounts.key');
  const certificates = join(data, 'certificates');
  const token = randomBytes(16).toString('hex');
  const { podBridge, cgroup } = traceNames(plan.id);
  const socket = containerdSocket(plan);

  const [server] = await Promise.all([
    start(etcd(etcdPort, etcdPeerPort)).then(({ address: etcdUrl }) =>
      start(apiserver({ kubernetes, port, etcdUrl, token, kubeconfig, serviceAccountKey, certificates })),
    ),
    pickSubnet().then((subnet) =>
      start(
        containerd({
          registry: registryName,
          sandboxImage: `${registryName}/slipway-rig/pause:1`,
          bridge: podBridge,
          subnet: `${subnet}0/24`,
          socket,
        }),
      ),
    ),
  ]);
  const rootCertificate = join(certificates, 'apiserver.crt');
  await Promise.all([
    start(controllerManager({ kubernetes, port: managerPort, kubeconfig, serviceAccountKey, rootCertificate })),
    start(scheduler({ kubernetes, port: schedulerPort, kubeconfig })),
    start(
      kubelet({
        kubernetes,
        kubeconfig,
        port: kubeletPort,
        healthPort: kubeletHealthPort,
        containerdSocket: socket,
        cgroup,
      }),
    ),
  ]);
  await untilClusterReady(server.address, rootCertificate, token, join(plan.folder, 'logs', 'kubelet.log'), signal);
  return { kubeconfigPath: kubeconfig, kubernetesApiUrl: server.address };
}
