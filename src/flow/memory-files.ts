import type { Files } from '../world.ts';

/** A file system of given files, for tests: absolute path → text. Folders are those that hold files. */
export function memoryFiles(texts: Readonly<Record<string, string>>): Files {
  const isFolder = (path: string): boolean => Object.keys(texts).some((file) => file.startsWith(`${path}/`));
  const refuse = (): never => {
    throw new Error('these files are read only');
  };
  return {
    readText: async (path) => {
      const text = texts[path];
      if (text === undefined)
        throw Object.assign(new Error(`no ${path}`), { code: isFolder(path) ? 'EISDIR' : 'ENOENT' });
      return text;
    },
    exists: async (path) => texts[path] !== undefined || isFolder(path),
    list: async (path) => {
      if (!isFolder(path)) throw Object.assign(new Error(`no ${path}`), { code: 'ENOENT' });
      const inside = Object.keys(texts).filter((file) => file.startsWith(`${path}/`));
      return [...new Set(inside.map((file) => file.slice(path.length + 1).split('/')[0] ?? ''))];
    },
    makeTemporaryDirectory: async () => refuse(),
    writeNew: async () => refuse(),
    symlink: async () => refuse(),
    remove: async () => refuse(),
  };
}
