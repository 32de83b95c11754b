import { describe, expect, it } from 'vitest';
import { problemsOf } from '../../problem.ts';
import { findDependencies } from './dependencies.ts';

const PROJECT = '[project]\nname = "hello"\ndependencies = ["httpx"]\n';

describe('the dependencies of a project', () => {
  it.each<[string, Record<string, string>, string]>([
    [
      'requirements.txt before all else',
      { 'requirements.txt': '', 'pyproject.toml': PROJECT, 'uv.lock': '' },
      'requirements.txt',
    ],
    ['uv.lock', { 'pyproject.toml': PROJECT, 'uv.lock': '' }, 'uv.lock'],
    ['pyproject.toml', { 'pyproject.toml': PROJECT }, 'pyproject.toml'],
    ['nothing with a uv.lock alone', { 'uv.lock': '' }, 'none'],
    ['nothing in an empty project', {}, 'none'],
    ['nothing in a pyproject.toml of tools', { 'pyproject.toml': '[tool.ruff]\nline-length = 100\n' }, 'none'],
    ['nothing in an empty list', { 'pyproject.toml': '[project]\ndependencies = []\n' }, 'none'],
  ])('are in %s', async (_what, files, kind) => {
    expect(await find(files)).toMatchObject({ kind });
    expect(await find(files)).not.toMatchObject({ note: expect.any(String) });
  });

  it.each([
    ['computed', '[project]\nname = "x"\ndynamic = ["version", "dependencies"]\n', '`dynamic`'],
    ['for Poetry', '[tool.poetry.dependencies]\npython = "^3.12"\nhttpx = "*"\n', 'for Poetry alone'],
  ])('are not installed when they are %s, and that is told', async (_what, text, note) => {
    expect(await find({ 'pyproject.toml': text })).toEqual({ kind: 'none', note: expect.stringContaining(note) });
  });

  it.each([
    ['no TOML', '[project\n', ', line 1'],
    ['with a text for a list', '[project]\ndependencies = "httpx"\n', ''],
  ])('are refused in a pyproject.toml that is %s', async (_what, text, place) => {
    const error = await find({ 'pyproject.toml': text }).catch((thrown: unknown) => thrown);
    expect(problemsOf(error)?.[0]?.message).toBe(
      `/repo/pyproject.toml cannot be read for the generated Dockerfile${place}`,
    );
  });

  function find(files: Record<string, string>) {
    const textOf = (path: string) => files[path.replace('/repo/', '')];
    return findDependencies('/repo', {
      exists: (path) => Promise.resolve(textOf(path) !== undefined),
      readText: (path) => Promise.resolve(textOf(path) ?? ''),
    });
  }
});
