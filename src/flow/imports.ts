import { posix, relative, sep } from 'node:path';
import { PythonModule } from './scope.ts';
import type { PythonSources } from './sources.ts';

/** Where Python looks for modules of the repository, and where messages are relative to. */
export interface ImportPath {
  readonly sources: PythonSources;
  /** Absolute folders in the order of sys.path: the script's own, the project's. */
  readonly roots: readonly string[];
  /** Absolute; nothing outside it is read. */
  readonly repository: string;
}

/** Modules that are loaded before a flow's file is, and so are never shadowed by a file of the repository. */
const ALREADY_LOADED: ReadonlySet<string> = new Set([
  'abc',
  'asyncio',
  'builtins',
  'collections',
  'contextlib',
  'dataclasses',
  'datetime',
  'decimal',
  'enum',
  'functools',
  'inspect',
  'ipaddress',
  'json',
  'logging',
  'os',
  'pathlib',
  'prefect',
  'pydantic',
  'pydantic_core',
  're',
  'sys',
  'time',
  'types',
  'typing',
  'typing_extensions',
  'uuid',
]);

/** The modules of one evaluation, each made once. */
export class ModuleFinder {
  readonly #path: ImportPath;
  readonly #modules = new Map<string, PythonModule>();

  constructor(path: ImportPath) {
    this.#path = path;
  }

  /**
   * The module in this file, or undefined when there is none.
   *
   * @param path absolute.
   * @param script true for the entrypoint's own file: its relative imports look beside it and in the project.
   */
  open(path: string, script = false): PythonModule | undefined {
    const known = this.#modules.get(path);
    if (known !== undefined) return known;
    if (!isInside(this.#path.repository, path)) return undefined;
    const python = this.#path.sources.peek(path);
    if (python === 'absent') return undefined;
    const module = new PythonModule(relativeTo(this.#path.repository, path), python, (level, dotted) =>
      this.#import(path, script, level, dotted),
    );
    this.#modules.set(path, module);
    return module;
  }

  /** The module of this dotted name as Python would find it from the roots; undefined when the repository has none. */
  find(dotted: string): PythonModule | undefined {
    const [root = ''] = dotted.split('.');
    if (ALREADY_LOADED.has(root)) return undefined;
    return this.#findUnder(this.#path.roots, dotted);
  }

  #import(from: string, script: boolean, level: number, dotted: string): PythonModule | undefined {
    if (level === 0) return this.find(dotted);
    if (script) return level === 1 ? this.#findUnder(this.#path.roots.slice(0, 2), dotted) : undefined;
    let folder = posix.dirname(from);
    for (let up = 1; up < level; up += 1) folder = posix.dirname(folder);
    return this.#findUnder([folder], dotted);
  }

  #findUnder(folders: readonly string[], dotted: string): PythonModule | undefined {
    const path = dotted === '' ? '' : `/${dotted.replaceAll('.', '/')}`;
    for (const folder of folders) {
      const found =
        this.open(`${folder}${path}/__init__.py`) ?? (path === '' ? undefined : this.open(`${folder}${path}.py`));
      if (found !== undefined) return found;
    }
    return undefined;
  }
}

/** A path relative to the repository's root, with forward slashes. */
export function relativeTo(repository: string, path: string): string {
  return relative(repository, path).split(sep).join('/');
}

/** True when the path is the folder or below it. */
export function isInside(folder: string, path: string): boolean {
  const inside = relative(folder, path);
  return inside === '' || (!inside.startsWith('..') && !posix.isAbsolute(inside));
}
