/**
 * The Python on the PATH, as a name to start: `python` as actions/setup-python gives it, else `python3`.
 *
 * @returns undefined when there is neither.
 */
export async function findPython(
  env: Readonly<Record<string, string>>,
  exists: (path: string) => Promise<boolean>,
): Promise<'python' | 'python3' | undefined> {
  const directories = (env.PATH ?? '').split(':').filter((directory) => directory !== '');
  for (const name of ['python', 'python3'] as const) {
    for (const directory of directories) if (await exists(`${directory}/${name}`)) return name;
  }
  return undefined;
}
