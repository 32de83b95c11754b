import { describe, expect, it } from 'vitest';
import { Problem } from '../problem.ts';
import { readEntrypoint } from './entrypoint.ts';

const where = { file: 'prefect.yaml', line: 3, column: 5 };

describe('entrypoints', () => {
  it.each([
    ['flows/hello.py:hello', { kind: 'file', path: 'flows/hello.py', object: ['hello'] }],
    ['./flows/hello.py:hello', { kind: 'file', path: './flows/hello.py', object: ['hello'] }],
    ['flows/hello.py:Etl.run', { kind: 'file', path: 'flows/hello.py', object: ['Etl', 'run'] }],
    ['C:\\flows\\hello.py:hello', { kind: 'file', path: 'C:\\flows\\hello.py', object: ['hello'] }],
    ['package.module:hello', { kind: 'module', module: 'package.module', object: ['hello'] }],
    ['package.module:Etl.run', { kind: 'module', module: 'package.module', object: ['Etl', 'run'] }],
    ['package.module.hello', { kind: 'module', module: 'package.module', object: ['hello'] }],
    ['module:größe', { kind: 'module', module: 'module', object: ['größe'] }],
  ])('%s is read', (entrypoint, expected) => {
    expect(readEntrypoint(entrypoint, where)).toEqual(expected);
  });

  it.each([
    ['hello', 'names neither a file nor a module'],
    ['flows/hello.py', 'names a file but no function'],
    ['flows/hello.py:', "names no function after 'flows/hello.py'"],
    ['flows/hello.py:not-a-name', "names no function after 'flows/hello.py'"],
    [':hello', 'names no file or module'],
    ['flows/hello:hello', 'names a file that is no Python file'],
    ['flows/hello.sh:hello', 'names a file that is no Python file'],
    ['', 'names neither a file nor a module'],
    ['my-module:hello', 'names neither a file nor a module'],
  ])('%s is refused with its place: %s', (entrypoint, reason) => {
    expect(() => readEntrypoint(entrypoint, where)).toThrowError(
      expect.objectContaining({ name: 'Problem', message: `entrypoint '${entrypoint}' ${reason}`, where }),
    );
  });

  it('says what to write instead of a file without its ending', () => {
    const read = (): unknown => readEntrypoint('flows/hello:run', undefined);
    expect(read).toThrowError(Problem);
    expect(read).toThrowError(expect.objectContaining({ remedy: expect.stringContaining('flows/hello.py:run') }));
  });
});
