/**
 * The Secrets that Jobs refer to (contracts/worker.md §4.9).
 *
 * Failure model. A Secret's name is the same at every try, so making it again finds it: after a lost answer, on another
 * replica, after a restart. The Secret of the API key serves all Jobs in a namespace; it is written when it is missing or
 * holds another key, and looked at again once a minute, so that one which was deleted comes back. The Secret of a Job's
 * environment is there before the Job and belongs to it afterwards, so that Kubernetes deletes it with the Job; a Job
 * that will not be has it deleted. Where that fails it is left behind, and the log says which.
 */
import * as z from 'zod';
import { createObject, pathOf, readObject } from '../k8s/api.ts';
import type { KubernetesConnection } from '../k8s/connection.ts';
import { KubernetesApiError } from '../k8s/errors.ts';
import type { JobManifest } from '../render/render.ts';
import type { SecretManifest } from '../render/secrets.ts';
import type { World } from '../world.ts';

type Calls = Pick<KubernetesConnection, 'call' | 'server'>;

/** How long a Secret that was seen to be right is trusted to be there. */
const TRUSTED_MS = 60_000;
/** Tries at adding an owner while others change the same Secret. */
const OWNER_TRIES = 5;

const Stored = z.looseObject({
  metadata: z.looseObject({ ownerReferences: z.array(z.looseObject({ uid: z.string() })).optional() }),
  data: z.record(z.string(), z.string()).nullish(),
});
const Job = z.object({ metadata: z.object({ name: z.string(), uid: z.string() }) });

export interface SecretsOptions {
  /**
   * The Secrets of API keys belong to the Jobs as well, and are deleted with the last of them: for a worker that ends
   * after one poll. One that goes on keeps them, as Python's does.
   */
  readonly keysBelongToJobs: boolean;
  readonly world: Pick<World, 'clock' | 'log'>;
}

export class JobSecrets {
  readonly #options: SecretsOptions;
  /** By cluster, namespace and name: what was written there, and when it was begun. */
  readonly #keys = new Map<
    string,
    { readonly content: string; readonly at: number; readonly written: Promise<void> }
  >();

  constructor(options: SecretsOptions) {
    this.#options = options;
  }

  /**
   * Makes the Secrets of a Job that are not there yet.
   *
   * @throws KubernetesApiError, KubernetesUnreachableError; may be called again after either.
   */
  async make(job: JobManifest, kubernetes: Calls, signal: AbortSignal): Promise<void> {
    for (const secret of job.secrets) {
      if (secret.kind === 'api-key') await this.#makeKey(secret, job.namespace, kubernetes, signal);
      else await createOrReplace(secret, job.namespace, kubernetes, signal);
    }
  }

  /** Lets a Job that exists own its Secrets. Never rejects: a failure is logged and costs a Secret left behind. */
  async giveTo(job: JobManifest, object: unknown, kubernetes: Calls, signal: AbortSignal): Promise<void> {
    const owned = job.secrets.filter(({ kind }) => kind === 'env' || this.#options.keysBelongToJobs);
    for (const { name } of owned) {
      try {
        const { metadata } = Job.parse(object);
        const owner = { apiVersion: 'batch/v1', kind: 'Job', name: metadata.name, uid: metadata.uid };
        await addOwner(name, job.namespace, owner, kubernetes, signal);
      } catch (error) {
        this.#leftBehind(name, job.namespace, error);
      }
    }
  }

  /** Deletes the Secret of a Job that will not exist. Never rejects. */
  async discard(job: JobManifest, kubernetes: Calls, signal: AbortSignal): Promise<void> {
    for (const { kind, name } of job.secrets) {
      if (kind !== 'env') continue;
      try {
        await kubernetes.call({ method: 'DELETE', path: pathOf('secrets', job.namespace, name), signal });
      } catch (error) {
        if (error instanceof KubernetesApiError && error.status === 404) continue;
        this.#leftBehind(name, job.namespace, error);
      }
    }
  }

  #leftBehind(name: string, namespace: string, error: unknown): void {
    const reason = error instanceof Error ? error.message : String(error);
    this.#options.world.log.warning(`Secret ${namespace}/${name} will not be deleted with its Job: ${reason}`);
  }

  async #makeKey(secret: SecretManifest, namespace: string, kubernetes: Calls, signal: AbortSignal): Promise<void> {
    const place = `${kubernetes.server} ${namespace}/${secret.name}`;
    const content = JSON.stringify(secret.body);
    const now = this.#options.world.clock.now();
    const known = this.#keys.get(place);
    if (known !== undefined && known.content === content && now - known.at < TRUSTED_MS) return await known.written;
    const written = putKey(secret, namespace, kubernetes, signal);
    this.#keys.set(place, { content, at: now, written });
    try {
      await written;
    } catch (error) {
      if (this.#keys.get(place)?.written === written) this.#keys.delete(place);
      throw error;
    }
  }
}

/** Writes the Secret of an API key where it is missing or another; what else somebody put on it stays. */
async function putKey(
  secret: SecretManifest,
  namespace: string,
  kubernetes: Calls,
  signal: AbortSignal,
): Promise<void> {
  const { data } = secret.body;
  const stored = await readSecret(secret.name, namespace, kubernetes, signal);
  if (stored === undefined) {
    try {
      await createObject(kubernetes, 'secrets', namespace, JSON.stringify(secret.body), signal);
    } catch (error) {
      // Another replica was first.
      if (!isAlreadyThere(error)) throw error;
      await putKey(secret, namespace, kubernetes, signal);
    }
  } else if (JSON.stringify(stored.data) !== JSON.stringify(data)) {
    await replace({ ...stored, data }, secret.name, namespace, kubernetes, signal);
  }
}

async function createOrReplace(
  secret: SecretManifest,
  namespace: string,
  kubernetes: Calls,
  signal: AbortSignal,
): Promise<void> {
  try {
    await createObject(kubernetes, 'secrets', namespace, JSON.stringify(secret.body), signal);
  } catch (error) {
    if (!isAlreadyThere(error)) throw error;
    await replace(secret.body, secret.name, namespace, kubernetes, signal);
  }
}

/** By patch, as Python does it; where only `update` is permitted, as by the official chart, by replacing the object. */
async function addOwner(
  name: string,
  namespace: string,
  owner: { readonly uid: string },
  kubernetes: Calls,
  signal: AbortSignal,
): Promise<void> {
  const path = pathOf('secrets', namespace, name);
  try {
    const body = JSON.stringify({ metadata: { ownerReferences: [owner] } });
    await kubernetes.call({ method: 'PATCH', path, body, signal });
    return;
  } catch (error) {
    if (!(error instanceof KubernetesApiError && error.status === 403)) throw error;
  }
  for (let tries = 1; ; tries += 1) {
    const stored = await readSecret(name, namespace, kubernetes, signal);
    if (stored === undefined) return;
    const others = (stored.metadata.ownerReferences ?? []).filter(({ uid }) => uid !== owner.uid);
    const metadata = { ...stored.metadata, ownerReferences: [...others, owner] };
    try {
      return await replace({ ...stored, metadata }, name, namespace, kubernetes, signal);
    } catch (error) {
      const conflict = error instanceof KubernetesApiError && error.status === 409;
      if (!conflict || tries === OWNER_TRIES) throw error;
    }
  }
}

async function readSecret(
  name: string,
  namespace: string,
  kubernetes: Calls,
  signal: AbortSignal,
): Promise<z.infer<typeof Stored> | undefined> {
  const stored = await readObject(kubernetes, 'secrets', namespace, name, signal);
  return stored === undefined ? undefined : Stored.parse(stored);
}

async function replace(
  object: unknown,
  name: string,
  namespace: string,
  kubernetes: Calls,
  signal: AbortSignal,
): Promise<void> {
  const body = JSON.stringify(object);
  await kubernetes.call({ method: 'PUT', path: pathOf('secrets', namespace, name), body, signal });
}

function isAlreadyThere(error: unknown): boolean {
  return error instanceof KubernetesApiError && error.status === 409 && error.reason === 'AlreadyExists';
}
