import { type PrefectSettings, readSettings, withSettingsFiles } from '@slipway/prefect/settings';
import type { Inputs } from './inputs/inputs.ts';
import type { World } from './world.ts';

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
): Promise<PrefectSettings> {
  const home = world.env.HOME || world.env.USERPROFILE || '/';
  const { variables, warnings } = await withSettingsFiles(
    inputs.prefectEnv,
    { home, directory, writtenBy: 'anybody' },
    world.files.readText,
  );
  const settings = readSettings(variables);
  return { ...settings, warnings: [...warnings, ...settings.warnings] };
}
