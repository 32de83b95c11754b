import * as z from 'zod';
import type { KubernetesConnection } from './connection.ts';
import { KubernetesApiError } from './errors.ts';

/** The kinds of objects this worker reads, and where they are served. */
export const RESOURCES = {
  jobs: '/apis/batch/v1',
  pods: '/api/v1',
  secrets: '/api/v1',
} as const;
export type Resource = keyof typeof RESOURCES;

/** As Prefect's worker deletes Jobs (contracts/worker.md §6.3); pods have a grace of their own. */
const GRACE_SECONDS = 30;

/** One page of a list. Items are as they came: each reader takes what it needs. */
export interface Page {
  readonly items: readonly unknown[];
  readonly resourceVersion: string;
  /** Undefined on the last page. */
  readonly next: string | undefined;
}

const List = z.object({
  metadata: z.object({ resourceVersion: z.string().default(''), continue: z.string().optional() }),
  items: z.array(z.unknown()).nullish(),
});

/** The path of a kind in one namespace, or in all of them when `namespace` is undefined. */
export function pathOf(resource: Resource, namespace: string | undefined, name?: string): string {
  const within = namespace === undefined ? '' : `/namespaces/${encodeURIComponent(namespace)}`;
  return `${RESOURCES[resource]}${within}/${resource}${name === undefined ? '' : `/${encodeURIComponent(name)}`}`;
}

/** Creates an object. @param body the manifest as JSON text, sent untouched. @returns the object as stored. */
export async function createObject(
  connection: Pick<KubernetesConnection, 'call'>,
  resource: Resource,
  namespace: string,
  body: string,
  signal: AbortSignal,
): Promise<unknown> {
  return JSON.parse(await connection.call({ method: 'POST', path: pathOf(resource, namespace), body, signal }));
}

/** Reads one object, or undefined when there is none of that name. */
export async function readObject(
  connection: Pick<KubernetesConnection, 'call'>,
  resource: Resource,
  namespace: string,
  name: string,
  signal: AbortSignal,
): Promise<unknown> {
  try {
    return JSON.parse(await connection.call({ method: 'GET', path: pathOf(resource, namespace, name), signal }));
  } catch (error) {
    if (error instanceof KubernetesApiError && error.status === 404) return undefined;
    throw error;
  }
}

/** Reads one page of a list. */
export async function listPage(
  connection: Pick<KubernetesConnection, 'call'>,
  resource: Resource,
  namespace: string | undefined,
  query: { readonly labelSelector: string; readonly limit?: number; readonly continueAt?: string | undefined },
  signal: AbortSignal,
): Promise<Page> {
  const text = await connection.call({
    method: 'GET',
    path: pathOf(resource, namespace),
    query: {
      labelSelector: query.labelSelector,
      limit: query.limit === undefined ? undefined : String(query.limit),
      continue: query.continueAt,
    },
    signal,
  });
  const { metadata, items } = List.parse(JSON.parse(text));
  return { items: items ?? [], resourceVersion: metadata.resourceVersion, next: metadata.continue || undefined };
}

/**
 * Deletes a Job and its pods, the Job last; that it is gone already is fine.
 *
 * @param uid what was seen under that name: no other is deleted.
 */
export async function deleteJob(
  connection: Pick<KubernetesConnection, 'call'>,
  namespace: string,
  name: string,
  uid: string,
  signal: AbortSignal,
): Promise<void> {
  const body = JSON.stringify({
    apiVersion: 'v1',
    kind: 'DeleteOptions',
    propagationPolicy: 'Foreground',
    gracePeriodSeconds: GRACE_SECONDS,
    preconditions: { uid },
  });
  try {
    await connection.call({ method: 'DELETE', path: pathOf('jobs', namespace, name), body, signal });
  } catch (error) {
    if (!(error instanceof KubernetesApiError && (error.status === 404 || error.status === 409))) throw error;
  }
}
