import { type PrefectSettings, readSettings, withSettingsFiles } from '@slipway/prefect/settings';
import type { Inputs } from './inputs/inputs.ts';
import type { World } from './world.ts';

/** The settings of a run, and how Prefect's own programs are told the same. */
export interface RunSettings extends PrefectSettings {
  /** Variables for the programs that steps start: they may run `prefect`, or Python that imports it. Holds secrets. */
  readonly programEnv: Readonly<Record<string, string>>;
}

/** What decides which server a client speaks to, and as whom. */
const CONNECTION = [
  'PREFECT_API_KEY',
  'PREFECT_API_AUTH_STRING',
  'PREFECT_API_SSL_CERT_FILE',
  'PREFECT_API_TLS_INSECURE_SKIP_VERIFY',
  'PREFECT_CLIENT_CUSTOM_HEADERS',
  'PREFECT_CLOUD_API_URL',
];

/**
 * The settings of this run: inputs over environment over the project's files, of which only the harmless ones count,
 * over the runner's own profile (docs/decisions/settings.md).
 *
 * @throws SettingsError
 */
export async function readPrefectSettings(
  inputs: Pick<Inputs, 'prefectEnv'>,
  directory: string,
  world: Pick<World, 'env' | 'files'>,
): Promise<RunSettings> {
  const home = world.env.HOME || world.env.USERPROFILE || '/';
  const { variables, warnings } = await withSettingsFiles(
    inputs.prefectEnv,
    { home, directory, writtenBy: 'anybody' },
    world.files.readText,
  );
  const settings = readSettings(variables);
  const connection = CONNECTION.flatMap((name) => {
    const value = variables[name];
    return value === undefined ? [] : [[name, value] as const];
  });
  return {
    ...settings,
    warnings: [...warnings, ...settings.warnings],
    // The address too where it comes from a profile: a prefect.toml of the checkout must not lead those programs elsewhere.
    programEnv: { ...Object.fromEntries(connection), PREFECT_API_URL: settings.apiUrl },
  };
}
