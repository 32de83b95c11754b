/**
 * Where a repository is cloned to, relative to where the step works, written as Python's `pathlib` writes it: the name
 * that is given, else the last part of the address without `.git`, with the branch behind it (contracts/deploy.md §2.4;
 * prefect/runner/storage.py `GitRepository.__init__`).
 *
 * @returns undefined for a place that is not below `directory`, or that has no name.
 */
export function cloneDirectory(
  repository: string,
  branch: string | null | undefined,
  name: string | null | undefined,
  directory: string,
): string | undefined {
  const repositoryName = pathOf(repository).split('/').at(-1)?.replaceAll('.git', '') ?? '';
  const safeBranch = branch?.replaceAll('/', '-');
  const chosen = name || (safeBranch ? `${repositoryName}-${safeBranch}` : repositoryName);
  const isAbsolute = chosen.startsWith('/');
  if (isAbsolute && !chosen.startsWith(`${directory}/`)) return undefined;
  const relative = isAbsolute ? chosen.slice(directory.length) : chosen;
  const parts = relative.split('/').filter((part) => part !== '' && part !== '.');
  return parts.length === 0 ? undefined : parts.join('/');
}

/** The path as Python's `urlparse` finds it, also in `git@host:owner/name`, which has no scheme. */
function pathOf(repository: string): string {
  const afterScheme = repository.replace(/^[a-zA-Z][a-zA-Z0-9+.-]*:/, '');
  const afterHost = afterScheme.replace(/^\/\/[^/?#]*/, '');
  return afterHost.replace(/[?#].*$/s, '');
}
