import { createHash } from 'node:crypto';
import type { Json, JsonObject } from '@slipway/prefect/json';
import type { SecretReference } from '../config/config.ts';
import { FLOW_RUN_LABEL } from './labels.ts';
import { slugName } from './slug.ts';

/** Where a Job takes the API key from; undefined: it stands in the Job, as it stands in the worker's environment. */
export type ApiKeySecret =
  | { readonly kind: 'existing'; readonly secret: SecretReference }
  /** In a Secret that the worker makes. */
  | { readonly kind: 'made' }
  | undefined;

/** A Secret that has to be there before the Job that refers to it. */
export interface SecretManifest {
  /** `api-key` serves all Jobs of the worker in a namespace, `env` this Job alone. */
  readonly kind: 'api-key' | 'env';
  readonly name: string;
  readonly body: JsonObject;
}

export interface SecretSettings {
  readonly apiKeySecret: ApiKeySecret;
  readonly authStringSecret: SecretReference | undefined;
  /** Everything in the environment that has a plain value goes into a Secret of the Job's own. */
  readonly envSecret: boolean;
}

/** Where the Secrets belong. */
export interface SecretPlace {
  readonly workerName: string;
  /** The worker's own key: one that a deployment sets itself gets a Secret of another name. */
  readonly workerApiKey: string | undefined;
  readonly namespace: string;
  /** The Job's name in two parts, `<prefix>-<suffix>`. */
  readonly job: { readonly prefix: string; readonly suffix: string };
  readonly jobLabels: Readonly<Record<string, string>>;
}

const API_KEY = 'PREFECT_API_KEY';
/** The key under which a Secret made for an API key holds it. */
const VALUE = 'value';

/** What becomes of a container's environment. */
export interface SecretEnvironment {
  readonly env: readonly JsonObject[];
  /** The container's `envFrom`; undefined when it has none. */
  readonly envFrom: Json | undefined;
  /** To be made for it, in order. Their names are the same at every try. */
  readonly secrets: readonly SecretManifest[];
}

/**
 * Takes credentials out of an environment as it was asked for (contracts/worker.md §4.9, kw `_replace_api_key_with_secret`,
 * `_store_env_as_secret`): the API key and the auth string become references to Secrets, only where there are such
 * variables; then, if asked for, all that has a plain value moves into one Secret, read through `envFrom`. As in
 * Python, an entry with neither a value nor a reference is lost then.
 *
 * @param envFrom the manifest's.
 */
export function withSecrets(
  env: readonly JsonObject[],
  envFrom: Json | undefined,
  settings: SecretSettings,
  place: SecretPlace,
): SecretEnvironment {
  const { apiKeySecret } = settings;
  const key = env.find((entry) => entry.name === API_KEY)?.value;
  const forKey =
    apiKeySecret?.kind === 'made' && typeof key === 'string' && key !== '' ? keySecret(key, place) : undefined;
  const reference =
    apiKeySecret?.kind === 'existing' ? apiKeySecret.secret : forKey && { name: forKey.name, key: VALUE };
  const referring = fromSecret(
    fromSecret(env, API_KEY, reference),
    'PREFECT_API_AUTH_STRING',
    settings.authStringSecret,
  );
  const made = forKey === undefined ? [] : [forKey];
  const plain = settings.envSecret ? plainVariables(referring) : [];
  if (plain.length === 0) return { env: referring, envFrom, secrets: made };
  const forEnv = envSecret(plain, place);
  return {
    env: referring.filter((entry) => 'valueFrom' in entry),
    envFrom: [...(Array.isArray(envFrom) ? envFrom : []), { secretRef: { name: forEnv.name } }],
    secrets: [...made, forEnv],
  };
}

function fromSecret(env: readonly JsonObject[], variable: string, secret: SecretReference | undefined): JsonObject[] {
  if (secret === undefined) return [...env];
  const valueFrom = { secretKeyRef: { name: secret.name, key: secret.key } };
  return env.map((entry) => (entry.name === variable ? { name: variable, valueFrom } : entry));
}

function plainVariables(env: readonly JsonObject[]): [name: string, value: Json][] {
  return env.flatMap((entry): [string, Json][] => {
    const { name, value } = entry;
    if ('valueFrom' in entry || value === undefined || typeof name !== 'string' || name === '') return [];
    return [[name, value]];
  });
}

/** Two keys under one name would take turns in it: only the worker's own key gets the name that Python gives it. */
function keySecret(key: string, { workerName, workerApiKey, namespace }: SecretPlace): SecretManifest {
  const own = `prefect-${slugName(workerName) ?? 'worker'}-api-key`;
  const name = key === workerApiKey ? own : `${own}-${createHash('sha256').update(key).digest('hex').slice(0, 8)}`;
  const data = { [VALUE]: Buffer.from(key, 'utf8').toString('base64') };
  return { kind: 'api-key', name, body: { apiVersion: 'v1', kind: 'Secret', metadata: { name, namespace }, data } };
}

function envSecret(variables: readonly (readonly [string, Json])[], place: SecretPlace): SecretManifest {
  const { job, jobLabels, namespace } = place;
  const name = `${job.prefix}-env-${job.suffix}`;
  const run = jobLabels[FLOW_RUN_LABEL];
  const labels = { 'app.kubernetes.io/managed-by': 'prefect', ...(run === undefined ? {} : { [FLOW_RUN_LABEL]: run }) };
  const stringData = Object.fromEntries(variables);
  return {
    kind: 'env',
    name,
    body: { apiVersion: 'v1', kind: 'Secret', metadata: { name, namespace, labels }, stringData },
  };
}
