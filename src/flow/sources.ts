import type { Files } from '../world.ts';
import { begin } from './effort.ts';
import { type PythonFile, parsePython } from './python/parse.ts';

/** Larger files are data, not flows: nothing of them is known. */
const LARGEST = 5 * 1024 * 1024;
const TOO_LARGE: PythonFile = {
  source: '',
  md5: '',
  statements: [],
  syntaxError: { at: 0, near: '' },
  isTooLarge: true,
};

/** Thrown by `peek` for a file nobody has looked for yet. */
class NeedsFile extends Error {
  readonly path: string;

  constructor(path: string) {
    super(path);
    this.path = path;
  }
}

/**
 * Parsed Python files, each read once. Evaluation is a pure function of the files it has seen: it asks with `peek`,
 * is stopped at the first file that was not read yet, and starts again when that file is there. One value can be
 * shared by all entries of a run. It holds no resource; a file that changes after it was read is not seen again.
 */
export class PythonSources {
  readonly #files: Files;
  readonly #known = new Map<string, PythonFile | 'absent'>();

  constructor(files: Files) {
    this.#files = files;
  }

  /** The file, or `absent`. Only inside `run`. */
  peek(path: string): PythonFile | 'absent' {
    const known = this.#known.get(path);
    if (known === undefined) throw new NeedsFile(path);
    return known;
  }

  /** Runs a synchronous evaluation, reading every file it asks for. */
  async run<T>(evaluate: () => T): Promise<T> {
    for (;;) {
      begin();
      try {
        return evaluate();
      } catch (error) {
        if (!(error instanceof NeedsFile)) throw error;
        this.#known.set(error.path, await this.#read(error.path));
      }
    }
  }

  async #read(path: string): Promise<PythonFile | 'absent'> {
    let text: string;
    try {
      text = await this.#files.readText(path);
    } catch (error) {
      if (isMissing(error)) return 'absent';
      throw error;
    }
    return text.length > LARGEST ? TOO_LARGE : parsePython(text);
  }
}

function isMissing(error: unknown): boolean {
  if (!(error instanceof Error) || !('code' in error)) return false;
  return error.code === 'ENOENT' || error.code === 'EISDIR' || error.code === 'ENOTDIR';
}
