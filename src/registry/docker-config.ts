import type { Files } from '../world.ts';
import { basicToken } from './credentials.ts';
import {
  type DockerConfigFile,
  dockerConfigDirectory,
  readAuthVariable,
  readDockerConfig,
} from './docker-config-file.ts';
import { type Credentials, NO_USER } from './model.ts';
import { configKey, isKeyOf } from './repository.ts';

/**
 * Docker configuration of our own for one sign-in, so that credentials stand in no file that other steps or other
 * jobs of the machine read, and users' helpers, plugins, builders and contexts go on working (rig-action.md §D).
 *
 * Failure model: the directory holds a secret, so its path is handed to `remember` before anything is written into
 * it; `close` removes it, and should the process die first, the post step removes what was remembered
 * (`removeDockerConfig`). Docker itself writes below it (`.token_seed`, `buildx/`): the whole directory goes.
 */
export interface DockerConfig {
  readonly directory: string;
  /** Environment for our own children only; nothing is exported to later steps. */
  readonly env: Readonly<Record<string, string>>;
  close(): Promise<void>;
}

export interface DockerConfigOptions {
  readonly host: string;
  readonly credentials: Credentials;
  readonly env: Readonly<Record<string, string>>;
  readonly files: Files;
  /** Called with the directory before a secret is in it, for the post step. */
  readonly remember: (directory: string) => void;
}

/** Makes the directory (0700, under the runner's temporary directory) with its config.json (0600). */
export async function openDockerConfig(options: DockerConfigOptions): Promise<DockerConfig> {
  const { files, env, host } = options;
  const old = dockerConfigDirectory(env);
  const config = await readDockerConfig(old, files);
  const directory = await files.makeTemporaryDirectory('slipway-docker-');
  options.remember(directory);
  try {
    const text = JSON.stringify(withCredentials(config, host, options.credentials, old), undefined, 2);
    await files.writeNew(`${directory}/config.json`, text, 0o600);
    if (old !== undefined && (await files.exists(`${old}/contexts`))) {
      await files.symlink(`${old}/contexts`, `${directory}/contexts`);
    }
  } catch (error) {
    await files.remove(directory);
    throw error;
  }
  return {
    directory,
    env: childEnvironment(env, directory, old, host),
    close: () => files.remove(directory),
  };
}

/** What the post step calls for every directory that was remembered; one that is gone is fine. */
export function removeDockerConfig(directory: string, files: Pick<Files, 'remove'>): Promise<void> {
  return files.remove(directory);
}

/**
 * The user's configuration with our credentials in it, pure. An empty helper for our host makes Docker read the plain
 * entry although a store is named for all hosts; that store may hold what base images need, so it stays.
 */
export function withCredentials(
  config: DockerConfigFile,
  host: string,
  credentials: Credentials,
  oldDirectory: string | undefined,
): DockerConfigFile {
  const others = Object.entries(config.auths ?? {}).filter(([key]) => !isKeyOf(key, host));
  const helpers = Object.entries(config.credHelpers ?? {}).filter(([key]) => !isKeyOf(key, host));
  const isShadowed = config.credsStore !== undefined || helpers.length < Object.keys(config.credHelpers ?? {}).length;
  const plugins = [
    ...(config.cliPluginsExtraDirs ?? []),
    ...(oldDirectory === undefined ? [] : [`${oldDirectory}/cli-plugins`]),
  ];
  return {
    ...config,
    auths: { ...Object.fromEntries(others), [configKey(host)]: authEntry(credentials) },
    ...(isShadowed ? { credHelpers: { ...Object.fromEntries(helpers), [configKey(host)]: '' } } : {}),
    ...(plugins.length === 0 ? {} : { cliPluginsExtraDirs: plugins }),
  };
}

function authEntry(credentials: Credentials): { auth: string; identitytoken?: string } {
  if (credentials.kind === 'basic') return { auth: basicToken(credentials) };
  return { auth: Buffer.from(`${NO_USER}:`).toString('base64'), identitytoken: credentials.token };
}

function childEnvironment(
  env: Readonly<Record<string, string>>,
  directory: string,
  old: string | undefined,
  host: string,
): Record<string, string> {
  const child: Record<string, string> = { ...env, DOCKER_CONFIG: directory };
  if ((env.BUILDX_CONFIG ?? '') === '' && old !== undefined) child.BUILDX_CONFIG = `${old}/buildx`;
  // A stale entry in this variable would beat our file; hosts it does not name come from the file.
  const auths = readAuthVariable(env);
  if (auths !== undefined) {
    const others = Object.entries(auths).filter(([key]) => !isKeyOf(key, host));
    delete child.DOCKER_AUTH_CONFIG;
    if (others.length > 0) child.DOCKER_AUTH_CONFIG = JSON.stringify({ auths: Object.fromEntries(others) });
  }
  return child;
}
