import { resolve } from 'node:path';
import { parseEnv } from 'node:util';
import { readProfile } from './profile.ts';
import { isTable, parseToml, TomlSyntaxError, tableVariables } from './toml.ts';
import { SettingsError } from './values.ts';

export type Variables = Readonly<Record<string, string | undefined>>;

export interface SettingsPlaces {
  /** The home directory of whoever runs this. */
  readonly home: string;
  /** Where `.env`, `prefect.toml` and `pyproject.toml` are looked for. */
  readonly directory: string;
  /** Who wrote those three: the person whose credentials these are, or anybody with a branch. */
  readonly writtenBy: 'operator' | 'anybody';
}

/** UTF-8 text of a file; rejects as node:fs does. */
export type ReadText = (path: string) => Promise<string>;

/** What a file that anybody can write may decide: nothing about where credentials go or whom to trust. */
const HARMLESS = new Set([
  'PREFECT_DEPLOYMENTS_DEFAULT_WORK_POOL_NAME',
  'PREFECT_DEPLOYMENTS_DEFAULT_DOCKER_BUILD_NAMESPACE',
  'PREFECT_CLIENT_MAX_RETRIES',
  'PREFECT_CLIENT_RETRY_JITTER_FACTOR',
  'PREFECT_CLIENT_RETRY_EXTRA_CODES',
  'PREFECT_API_REQUEST_TIMEOUT',
]);

/** What such a file is told that it may not decide; settings that no client reads are passed over in silence. */
const DECISIVE =
  /^PREFECT_(API_(URL|KEY|AUTH_STRING|SSL_CERT_FILE|TLS_INSECURE_SKIP_VERIFY|ENABLE_HTTP2)|CLIENT_(CUSTOM_HEADERS|CSRF_SUPPORT_ENABLED)|CLOUD_(API|UI)_URL|UI_URL|HOME|PROFILES_PATH)$/;

/** Names that mean another: the second of two is only looked at when the first is absent, in each place anew. */
const ALIASES: Readonly<Record<string, string>> = {
  PREFECT_DEFAULT_WORK_POOL_NAME: 'PREFECT_DEPLOYMENTS_DEFAULT_WORK_POOL_NAME',
  PREFECT_DEFAULT_DOCKER_BUILD_NAMESPACE: 'PREFECT_DEPLOYMENTS_DEFAULT_DOCKER_BUILD_NAMESPACE',
  PREFECT_SERVER_ALLOW_EPHEMERAL_MODE: 'PREFECT_SERVER_EPHEMERAL_ENABLED',
};

/**
 * The environment with what Prefect's files say below it, in Prefect's order (contracts/deploy.md §7.2): environment,
 * `.env`, `prefect.toml`, `pyproject.toml`, active profile. An empty variable hides what is below it. Of files that
 * anybody can write only the harmless settings count; the others are named in a warning.
 *
 * @throws SettingsError for a `prefect.toml` or `pyproject.toml` that is not TOML, with its place, and for a file that
 * is there and cannot be read.
 */
export async function withSettingsFiles(
  env: Variables,
  places: SettingsPlaces,
  readText: ReadText,
): Promise<{ readonly variables: Variables; readonly warnings: readonly string[] }> {
  const own = canonical(env);
  const project: { readonly file: string; readonly variables: Variables }[] = [];
  for (const [file, read] of PROJECT_FILES) {
    const text = await textIfThere(resolve(places.directory, file), readText);
    if (text !== undefined) project.push({ file, variables: canonical(read(text, file)) });
  }
  const trusted = places.writtenBy === 'operator';
  const refused = trusted ? [] : project.map(({ file, variables }) => ({ file, names: decisive(variables, own) }));
  const counted = trusted ? project.map((one) => one.variables) : project.map((one) => harmless(one.variables));
  const profile = await readProfile(merged(counted, own), places, readText);
  return {
    variables: merged([canonical(profile.variables), ...counted], own),
    warnings: [...refused.filter(({ names }) => names.length > 0).map(refusal), ...profile.warnings],
  };
}

/** @throws SettingsError */
export async function textIfThere(path: string, readText: ReadText): Promise<string | undefined> {
  try {
    return await readText(path);
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unreadable';
    // A folder called .env is usually a virtual environment.
    if (code === 'ENOENT' || code === 'ENOTDIR' || code === 'EISDIR') return undefined;
    throw new SettingsError(path, `${path} cannot be read (${code})`, 'Let this user read it, or move it away.');
  }
}

/** Lowest first. */
const PROJECT_FILES: readonly (readonly [file: string, read: (text: string, file: string) => Variables])[] = [
  [
    'pyproject.toml',
    (text, file) => {
      const { tool } = toml(text, file);
      const table = isTable(tool) ? tool.prefect : undefined;
      return isTable(table) ? tableVariables(table) : {};
    },
  ],
  ['prefect.toml', (text, file) => tableVariables(toml(text, file))],
  ['.env', (text) => Object.fromEntries(Object.entries(parseEnv(text)).filter(([name]) => /^prefect_/i.test(name)))],
];

function toml(text: string, file: string): ReturnType<typeof parseToml> {
  try {
    return parseToml(text);
  } catch (error) {
    if (!(error instanceof TomlSyntaxError)) throw error;
    throw new SettingsError(file, `${file} is ${error.message}`, 'Correct it there.');
  }
}

function merged(lowestFirst: readonly Variables[], env: Variables): Variables {
  return Object.assign({}, ...lowestFirst, env) as Variables;
}

/** Prefect's names in upper case, each setting under one of them; all other variables as they are. */
function canonical(variables: Variables): Variables {
  const named = Object.entries(variables)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => [/^prefect_/i.test(name) ? name.toUpperCase() : name, value] as const);
  const taken = new Set(named.map(([name]) => name));
  return Object.fromEntries(
    named.flatMap(([name, value]) => {
      const main = ALIASES[name];
      if (main === undefined) return [[name, value]];
      return taken.has(main) ? [] : [[main, value]];
    }),
  );
}

function harmless(variables: Variables): Variables {
  return Object.fromEntries(Object.entries(variables).filter(([name]) => HARMLESS.has(name)));
}

/** Only those that would have counted: what the environment sets wins over any file. */
function decisive(variables: Variables, env: Variables): string[] {
  return Object.keys(variables).filter((name) => DECISIVE.test(name) && !(name in env));
}

function refusal({ file, names }: { readonly file: string; readonly names: readonly string[] }): string {
  return `${file} sets ${names.join(', ')}, which does not count here: whoever can write that file could send the API key elsewhere. Set it as an input or in the job’s environment.`;
}
