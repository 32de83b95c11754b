import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import * as z from 'zod';
import { cleandoc, parameterDescriptions } from './docstring.ts';

const Case = z.object({ name: z.string(), docstring: z.string(), params: z.record(z.string(), z.string()) });
const FIXTURES = join(import.meta.dirname, 'fixtures');
const cases = z.array(Case).parse(JSON.parse(readFileSync(join(FIXTURES, 'docstring-cases.json'), 'utf8')));
const asked = z
  .object({ docstrings: z.record(z.string(), z.record(z.string(), z.string())) })
  .parse(JSON.parse(readFileSync(join(FIXTURES, 'shipped.json'), 'utf8')));

describe('parameters in docstrings', () => {
  it('has all 27 shipped cases', () => {
    expect(cases).toHaveLength(27);
  });

  it.each(cases)('$name: as the real Prefect reads it', ({ name, docstring, params }) => {
    expect(Object.fromEntries(parameterDescriptions(docstring))).toEqual(params);
    expect(asked.docstrings[name]).toEqual(params);
  });

  it.each([
    [
      'an admonition with an indented block does not hide the section after it',
      'S.\n\nNote:\n    text\n\nArgs:\n    x: yes',
      'yes',
    ],
    [
      'deeper lines that are not twice as deep still belong to the item',
      'S.\n\nArgs:\n    x: yes\n      more',
      'yes\nmore',
    ],
    ['a title with a dash opens an admonition, not a section', 'S.\n\nArgs-x:\n    x: no', undefined],
    ['two blank lines above are blank enough', 'S.\n\n\nArgs:\n    x: yes', 'yes'],
  ])('%s', (_title, docstring, expected) => {
    expect(parameterDescriptions(docstring).get('x')).toBe(expected);
  });
});

describe('cleandoc', () => {
  it.each([
    ['one line stays', 'A', 'A'],
    ['blank lines at both ends go', '\n\n  A\n\n', 'A'],
    ['the common indentation of later lines goes', 'A\n    B\n      C', 'A\nB\n  C'],
    ['the first line loses its own', '   A\n  B', 'A\nB'],
    ['tabs reach to the next eighth column', 'A\n\tB\n  \tC', 'A\nB\nC'],
    ['an empty text is empty', '', ''],
    ['blanks without any text stay, as Python leaves them', '  \n   ', '   '],
  ])('%s', (_title, text, expected) => {
    expect(cleandoc(text)).toBe(expected);
  });
});
