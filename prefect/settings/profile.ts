import { join, resolve } from 'node:path';
import { type ReadText, type SettingsPlaces, textIfThere, type Variables } from './files.ts';
import { isTable, parseToml, TomlSyntaxError, variableText } from './toml.ts';

/** All that Prefect's bundled profile `ephemeral` sets; no client reads it, but the worker passes it on to its Jobs. */
const BUNDLED: Variables = { PREFECT_SERVER_EPHEMERAL_ENABLED: 'true' };

/**
 * The active profile's settings (contracts/deploy.md §7.2, settings/sources.py): from PREFECT_PROFILES_PATH, else
 * `profiles.toml` in PREFECT_HOME, else in `~/.prefect`; which one is said by PREFECT_PROFILE, else by the file.
 * Without a file, or with a profile that is not in it, Prefect's bundled profile counts.
 */
export async function readProfile(
  env: Variables,
  places: SettingsPlaces,
  readText: ReadText,
): Promise<{ readonly variables: Variables; readonly warnings: readonly string[] }> {
  const home = env.PREFECT_HOME ? resolve(places.directory, env.PREFECT_HOME) : join(places.home, '.prefect');
  const path = env.PREFECT_PROFILES_PATH
    ? resolve(places.directory, env.PREFECT_PROFILES_PATH)
    : join(home, 'profiles.toml');
  const text = await textIfThere(path, readText);
  if (text === undefined) return { variables: BUNDLED, warnings: missing(env, `there is no ${path}`) };
  let file: ReturnType<typeof parseToml>;
  try {
    file = parseToml(text);
  } catch (error) {
    if (!(error instanceof TomlSyntaxError)) throw error;
    return { variables: {}, warnings: [`The profiles in ${path} are not read: it is ${error.message}.`] };
  }
  const name = env.PREFECT_PROFILE || file.active;
  const profile = isTable(file.profiles) && typeof name === 'string' ? file.profiles[name] : undefined;
  if (!isTable(profile)) return { variables: BUNDLED, warnings: missing(env, `${path} has no such profile`) };
  return {
    variables: Object.fromEntries(
      Object.entries(profile)
        .filter(([key]) => /^PREFECT_[A-Z0-9_]+$/.test(key))
        .map(([key, value]) => [key, variableText(value)]),
    ),
    warnings: [],
  };
}

/** Prefect says nothing here and goes on with its bundled profile, `ephemeral`. */
function missing(env: Variables, why: string): string[] {
  const name = env.PREFECT_PROFILE;
  return !name || name === 'ephemeral' ? [] : [`PREFECT_PROFILE is ${JSON.stringify(name)}, but ${why}.`];
}
