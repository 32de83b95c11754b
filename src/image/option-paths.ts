import { resolve } from 'node:path';

/** Paths in `key=value,…` options of buildx made absolute, since buildx itself works in the context. */
export function withPaths(keys: string, directory: string): string {
  return keys.replace(/(^|,)(src|source|dest)=([^,]+)/g, (_all, comma: string, key: string, path: string) => {
    return `${comma}${key}=${resolve(directory, path)}`;
  });
}

/** `default`, or `id=path,path`. */
export function sshWithPaths(text: string, directory: string): string {
  const [id, paths] = text.split('=', 2);
  if (paths === undefined) return text;
  const absolute = paths.split(',').map((path) => resolve(directory, path));
  return `${id}=${absolute.join(',')}`;
}

/** Paths of further build contexts, but not images (`docker-image://`), layouts or addresses. */
export function contextsWithPaths(found: Readonly<Record<string, string>>, directory: string): Record<string, string> {
  const entries = Object.entries(found);
  return Object.fromEntries(
    entries.map(([name, value]) => [name, /^[a-z][a-z-]+:|@/i.test(value) ? value : resolve(directory, value)]),
  );
}
