import type { Json } from '@slipway/prefect/json';
import { describe, expect, it } from 'vitest';
import { problemsOf } from '../problem.ts';
import { positionsOf, toJson } from './nodes.ts';
import { problemsIn } from './testing-project.ts';
import { parseYaml } from './yaml.ts';

function read(text: string): Json | undefined {
  const root = parseYaml(text, 'prefect.yaml');
  return root && toJson(root);
}

describe('what PyYAML reads and YAML 1.2 does not', () => {
  // Each was read by PyYAML 6.0 to the same value.
  it.each<[string, string, Json]>([
    ['lines inside brackets that begin anywhere', 'a: [\nb,\n  c\n]\n', { a: ['b', 'c'] }],
    [
      'lines inside braces as deep as their key',
      'a:\n  b: {x: 1,\n  y: 2}\n  c: 1\n',
      { a: { b: { x: 1, y: 2 }, c: 1 } },
    ],
    ['lines inside double quotes that begin anywhere', 'a: "x\ny\n\n z"\n', { a: 'x y\nz' }],
    ['lines inside single quotes that begin anywhere', "- a: 's\nt'\n- b\n", [{ a: 's t' }, 'b']],
    [
      'quotes and brackets behind an anchor or a tag',
      'a: &x [b, "c\nd"]\ne: !!str "f\ng"\nh: *x\n',
      { a: ['b', 'c d'], e: 'f g', h: ['b', 'c d'] },
    ],
    ['quotes inside braces', 'a:\n  b: [\n    {c: "x\n  y"}]\n', { a: { b: [{ c: 'x y' }] } }],
    ['a comment right behind a quote', 'a: "b"#c\nd: 1\n', { a: 'b', d: 1 }],
    ['duplicate keys, of which the last wins', 'a: 1\na: 2\n', { a: 2 }],
    ['a block text without a line end', 'a: |\n  b', { a: 'b' }],
  ])('%s', (_what, text, value) => {
    expect(read(text)).toEqual(value);
  });

  it('keeps the places of what is moved to be read', () => {
    const root = parseYaml('a: {b: 1,\nc: 2,\n   d: 3}\ne: 4\n', 'f');
    const places = root && [...positionsOf(root)].map(([path, { line, column }]) => `${path} ${line}:${column}`);
    expect(places).toEqual(['a 1:1', 'a.b 1:5', 'a.c 2:1', 'a.d 3:4', 'e 4:1']);
  });

  it.each([
    ['a quote that never ends', 'a: "x\ny\nz\n', 1],
    ['a bracket that never ends', 'a: [x,\ny\nz: 1\n', 2],
  ])('does not make sense of %s', (_what, text, line) => {
    const error = (() => {
      try {
        return read(text);
      } catch (thrown) {
        return thrown;
      }
    })();
    expect(problemsOf(error)?.[0]?.where?.line).toBeGreaterThanOrEqual(line);
  });
});

describe('a key that JavaScript has a use for', () => {
  it('is a key like any other', () => {
    const value = read('__proto__: {a: 1}\nconstructor: 2\n');
    expect(Object.keys(value ?? {})).toEqual(['__proto__', 'constructor']);
    expect(({} as Record<string, unknown>).a).toBeUndefined();
  });
});

describe('what YAML 1.2 reads and PyYAML refuses', () => {
  // Each was refused by PyYAML 6.0.
  it.each([
    ['an anchor named twice', 'a: &x 1\nb: &x 2\n', '2:7', 'the anchor &x is there already'],
    ['a key over two lines in braces', 'a: {b\n  c: 1}\n', '1:5', 'a key and its `:` stand in one line'],
    ['a missing comma in braces', 'a: {\n  b: "x"\n  }\nc: {d: e, f\n g: h}\n', '4:11', 'is a comma missing?'],
    ['a quoted key far from its colon', 'a: {"b"\n  : 1}\n', '1:5', 'a key and its `:` stand in one line'],
    ['a key that is too long', `a: {${'k'.repeat(1025)}: 1}\n`, '1:5', 'not more than 1024 characters'],
    ['a key of nothing', 'a:\n  : b\n', '2:3', 'there is no key before the `:`'],
    ['a key of nothing in braces', 'a: {: b}\n', '1:5', 'there is no key before the `:`'],
    ['a question mark in braces', 'a: {cron: 0 0 ? * *}\n', '1:11', 'holds a `?`'],
    ['a tab in a text', 'a: b\tc\n', '1:5', 'there is a tab'],
    ['a tab before a comment', 'a: b\t# c\n', '1:5', 'there is a tab'],
    ['a tab after a block header', 'a: |\t\n  b\n', '1:5', 'there is a tab'],
    ['a tab in an empty line', 'a: b\n\t\nc: d\n', '2:1', 'there is a tab'],
    ['an invisible line end', 'a: b # c\u2028d: e\n', '1:9', 'the invisible line end U+2028'],
  ])('%s', async (_what, text, place, reason) => {
    const [problem] = await problemsIn(text);
    expect(problem).toContain(`project/prefect.yaml:${place} `);
    expect(problem).toContain(reason);
  });

  it.each([
    ['a tab in quotes, blocks and comments', 'a: "b\tc"\nd: |\n  e\tf\n\n  \tg # h\ni: 1 # j\tk\n', 'b\tc'],
    ['an explicit key over two lines', '? a\n: b\n? >-\n  two\n  lines\n: c\n', 'b'],
    ['a question mark out of brackets', 'a: 0 0 ? * *\n', '0 0 ? * *'],
    ['a single text over two lines in brackets', 'b: [c\n  d]\na: e\n', 'e'],
  ])('but not %s', (_what, text, value) => {
    expect(read(text)).toMatchObject({ a: value });
  });
});

describe('a large file with lines that begin anywhere', () => {
  it('is read in one more attempt', () => {
    const text = Array.from({ length: 2000 }, (_, n) => `a${n}:\n  b: {\n"x": 1,\n'y': "p\nq"\n}\n`).join('');
    const value = read(text);
    expect(Object.keys(value ?? {})).toHaveLength(2000);
    expect(value).toMatchObject({ a7: { b: { x: 1, y: 'p q' } } });
  });

  it('is refused as it stands when a line only seems to be inside quotes', async () => {
    const [problem] = await problemsIn("a: x\n  'tis\nb: [\nc]\nd: [\n");
    expect(problem).toContain('is not valid YAML');
  });
});
