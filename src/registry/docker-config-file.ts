import { resolve } from 'node:path';
import * as z from 'zod';
import { dockerEnvironment } from '../docker-environment.ts';
import { Problem } from '../problem.ts';
import type { Exec, Files } from '../world.ts';
import { ExecNotStarted } from '../world.ts';
import type { CredentialSource, Credentials } from './model.ts';
import { configKey, isKeyOf } from './repository.ts';

/** Docker's own configuration, as far as we read it; everything else in it is carried along untouched. */
const AuthEntry = z.looseObject({
  auth: z.string().optional(),
  username: z.string().optional(),
  password: z.string().optional(),
  identitytoken: z.string().optional(),
});
const Auths = z.record(z.string(), AuthEntry);
const ConfigFile = z.looseObject({
  auths: Auths.optional(),
  credHelpers: z.record(z.string(), z.string()).optional(),
  credsStore: z.string().optional(),
  cliPluginsExtraDirs: z.array(z.string()).optional(),
});
export type DockerConfigFile = z.infer<typeof ConfigFile>;
type AuthEntry = z.infer<typeof AuthEntry>;

type Environment = Readonly<Record<string, string>>;

/** Docker's configuration directory: DOCKER_CONFIG, else ~/.docker; undefined without a home. */
export function dockerConfigDirectory(env: Environment): string | undefined {
  if (env.DOCKER_CONFIG !== undefined && env.DOCKER_CONFIG !== '') return resolve(env.DOCKER_CONFIG);
  return env.HOME === undefined || env.HOME === '' ? undefined : resolve(env.HOME, '.docker');
}

/**
 * Docker's config.json of a directory; empty when there is none.
 *
 * @throws Problem when it exists and cannot be read or is not Docker's.
 */
export async function readDockerConfig(
  directory: string | undefined,
  files: Pick<Files, 'readText' | 'exists'>,
): Promise<DockerConfigFile> {
  if (directory === undefined) return {};
  const path = `${directory}/config.json`;
  if (!(await files.exists(path))) return {};
  try {
    return ConfigFile.parse(JSON.parse(await files.readText(path)));
  } catch (cause) {
    throw new Problem(`Docker’s configuration ${path} cannot be read`, {
      remedy: 'Repair or remove the file; `docker login` and `docker pull` cannot use it either.',
      cause,
    });
  }
}

/** The `auths` of DOCKER_AUTH_CONFIG; undefined when it is not set or, as for Docker, when it is not understood. */
export function readAuthVariable(env: Environment): Record<string, AuthEntry> | undefined {
  if (env.DOCKER_AUTH_CONFIG === undefined || env.DOCKER_AUTH_CONFIG === '') return undefined;
  try {
    return z.looseObject({ auths: Auths }).parse(JSON.parse(env.DOCKER_AUTH_CONFIG)).auths;
  } catch {
    return undefined;
  }
}

/**
 * Docker's own credentials in the order in which Docker looks: DOCKER_AUTH_CONFIG, the host's credential helper, the
 * store for all hosts, the plain entries of config.json. An empty helper name means the plain entry
 * (rig-action.md §D).
 */
export function dockerCredentials(world: {
  readonly env: Environment;
  readonly exec: Exec;
  readonly files: Pick<Files, 'readText' | 'exists'>;
}): CredentialSource {
  const directory = dockerConfigDirectory(world.env);
  return {
    name: directory === undefined ? 'Docker’s configuration' : `${directory}/config.json`,
    origin: 'surroundings',
    async find(host, signal) {
      const fromVariable = entryOf(readAuthVariable(world.env), host);
      const given = fromVariable && credentialsOf(fromVariable, 'DOCKER_AUTH_CONFIG');
      if (given !== undefined) return given;
      const config = await readDockerConfig(directory, world.files);
      const helper = helperFor(config, host);
      if (helper !== '') return askHelper(helper, host, world, signal);
      const entry = entryOf(config.auths, host);
      return entry && credentialsOf(entry, `${directory}/config.json`);
    },
  };
}

function helperFor(config: DockerConfigFile, host: string): string {
  for (const [key, helper] of Object.entries(config.credHelpers ?? {})) {
    if (isKeyOf(key, host)) return helper;
  }
  return config.credsStore ?? '';
}

function entryOf(auths: Record<string, AuthEntry> | undefined, host: string): AuthEntry | undefined {
  if (auths === undefined) return undefined;
  const exact = auths[configKey(host)];
  return exact ?? Object.entries(auths).find(([key]) => isKeyOf(key, host))?.[1];
}

function credentialsOf(entry: AuthEntry, source: string): Credentials | undefined {
  if (entry.identitytoken !== undefined && entry.identitytoken !== '') {
    return { kind: 'identity-token', token: entry.identitytoken, source };
  }
  if (entry.auth !== undefined && entry.auth !== '') {
    const text = Buffer.from(entry.auth, 'base64').toString('utf8').replace(/\0+$/, '');
    const colon = text.indexOf(':');
    if (colon > 0) {
      return { kind: 'basic', username: text.slice(0, colon), password: text.slice(colon + 1), source };
    }
  }
  const { username = '', password = '' } = entry;
  return username === '' || password === '' ? undefined : { kind: 'basic', username, password, source };
}

const HelperAnswer = z.looseObject({ Username: z.string(), Secret: z.string() });
const HELPER_DEADLINE_MS = 30_000;

/** Runs `docker-credential-<name> get`, Docker's helper protocol: the server on stdin, JSON or a message on stdout. */
async function askHelper(
  helper: string,
  host: string,
  world: { readonly env: Environment; readonly exec: Exec },
  signal: AbortSignal,
): Promise<Credentials | undefined> {
  const program = `docker-credential-${helper}`;
  const remedy = `Repair the helper (try \`echo ${configKey(host)} | ${program} get\`), or give registry-username and registry-password, which need no helper.`;
  if (!/^[\w.-]+$/.test(helper)) {
    throw new Problem(`Docker’s configuration names an impossible credential helper ${JSON.stringify(helper)}`, {
      remedy,
    });
  }
  const answer = await world
    .exec(program, ['get'], {
      cwd: '/',
      env: dockerEnvironment(world.env),
      stdin: configKey(host),
      signal,
      timeoutMs: HELPER_DEADLINE_MS,
    })
    .catch((cause: unknown) => {
      if (!(cause instanceof ExecNotStarted)) throw cause;
      throw new Problem(`Docker’s configuration names the credential helper ${program}, which is not on the PATH`, {
        remedy,
        cause,
      });
    });
  if (answer.exitCode !== 0) {
    const said = (answer.stdout.trim() || answer.stderr.trim()).split('\n')[0] ?? '';
    if (/credentials not found/i.test(said)) return undefined;
    throw new Problem(`the credential helper ${program} failed for ${host}: ${said}`, { remedy });
  }
  const parsed = HelperAnswer.safeParse(jsonOrNothing(answer.stdout));
  if (!parsed.success)
    throw new Problem(`the credential helper ${program} answered ${host} with something else than credentials`, {
      remedy,
    });
  const { Username: username, Secret: secret } = parsed.data;
  if (secret === '') return undefined;
  const source = `credential helper ${program}`;
  return username === '<token>'
    ? { kind: 'identity-token', token: secret, source }
    : { kind: 'basic', username, password: secret, source };
}

function jsonOrNothing(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
