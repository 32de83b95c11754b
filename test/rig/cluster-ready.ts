import { readFileSync } from 'node:fs';
import { request } from 'node:https';
import { setTimeout as sleep } from 'node:timers/promises';
import * as z from 'zod';
import { NODE_NAME } from './parts/kubelet.ts';
import { RigError } from './rig-error.ts';

const Node = z.object({
  spec: z.object({ taints: z.array(z.object({ key: z.string() })).optional() }),
  status: z.object({
    conditions: z.array(z.object({ type: z.string(), status: z.string(), message: z.string() })).optional(),
  }),
});

const TIMEOUT_MS = 90_000;

/** Why a pod could not start on the node yet, or undefined when it could. */
export function whatNodeWaitsFor(node: unknown): string | undefined {
  const parsed = Node.safeParse(node);
  if (!parsed.success) return 'the node is not registered';
  const ready = parsed.data.status.conditions?.find((condition) => condition.type === 'Ready');
  if (ready?.status !== 'True') return `the node is not Ready: ${ready?.message ?? 'it has no conditions yet'}`;
  const taint = parsed.data.spec.taints?.[0];
  return taint === undefined ? undefined : `the node has the taint ${taint.key}`;
}

/**
 * Waits until a pod can be created and run: the node is Ready without taints, and the namespace `default` has its
 * service account (without which creating a pod is refused).
 *
 * @throws RigError after 90 s with what was still missing.
 */
export async function untilClusterReady(
  url: string,
  certificate: string,
  token: string,
  kubeletLog: string,
  signal: AbortSignal,
): Promise<void> {
  const ca = readFileSync(certificate);
  const deadline = Date.now() + TIMEOUT_MS;
  for (;;) {
    const node = whatNodeWaitsFor(await get(`${url}/api/v1/nodes/${NODE_NAME}`, ca, token, signal));
    const account = await get(`${url}/api/v1/namespaces/default/serviceaccounts/default`, ca, token, signal);
    const waitsFor = node ?? (account === undefined ? 'the namespace default has no service account yet' : undefined);
    if (waitsFor === undefined) return;
    if (Date.now() > deadline) {
      throw new RigError(`Kubernetes cannot run pods: ${waitsFor}`, "see the kubelet's log above", kubeletLog);
    }
    await sleep(100, undefined, { signal });
  }
}

/** The JSON at an address, or undefined for every other answer than 200. */
function get(url: string, ca: Buffer, token: string, signal: AbortSignal): Promise<unknown> {
  return new Promise((resolve) => {
    const call = request(url, { ca, signal, headers: { authorization: `Bearer ${token}` } }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (piece: string) => {
        text += piece;
      });
      response.once('end', () => resolve(response.statusCode === 200 ? parse(text) : undefined));
    });
    call.once('error', () => resolve(undefined));
    call.end();
  });
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
