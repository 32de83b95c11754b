/**
 * An environment with settings for git in it, which come before any file's. Settings in the environment are numbered;
 * those that are there already stay.
 */
export function withGitSettings(
  env: Readonly<Record<string, string>>,
  settings: readonly (readonly [string, string])[],
): Record<string, string> {
  const first = Number.parseInt(env.GIT_CONFIG_COUNT ?? '0', 10) || 0;
  const numbered = settings.flatMap(([name, value], index) => [
    [`GIT_CONFIG_KEY_${first + index}`, name],
    [`GIT_CONFIG_VALUE_${first + index}`, value],
  ]);
  return { ...env, GIT_CONFIG_COUNT: String(first + settings.length), ...Object.fromEntries(numbered) };
}
