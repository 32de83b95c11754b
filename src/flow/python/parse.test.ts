import { describe, expect, it } from 'vitest';
import { lineAndColumn, parseExpression, parsePython } from './parse.ts';

/** Line:column of the first syntax error, or undefined. */
function errorAt(text: string): string | undefined {
  const { source, syntaxError } = parsePython(text);
  if (syntaxError === undefined) return undefined;
  const { line, column } = lineAndColumn(source, syntaxError.at);
  return `${line}:${column}`;
}

describe('what is no Python', () => {
  it.each([
    ['a bracket that is never closed', 'x = 1\ndef f(a:\n    pass\n', '3:5'],
    ['a missing colon', 'x = 1\ndef f(a)\n    pass\n', '2:9'],
    ['two operators', 'def f():\n    x = = 3\n', '2:9'],
    ['a conflict that was never resolved', 'x = 1\n<<<<<<< HEAD\ny = 2\n=======\ny = 3\n>>>>>>> main\n', '2:1'],
    ['a text that is never closed', 'x = "abc\ny = 1\n', '1:5'],
    ["Python 2's print", 'print "hello"\n', '1:1'],
    ['a closing bracket too many', 'x = (1))\n', '1:8'],
    ['an indentation out of nowhere', 'x = 1\n    y = 2\n', '2:5'],
    ['an indentation that fits no block', 'if x:\n    y = 1\n  z = 2\n', '3:3'],
  ])('%s is found where it stands', (_title, text, place) => {
    expect(errorAt(text)).toBe(place);
  });
});

describe('Python the parser does not know', () => {
  it.each([
    ['template strings (PEP 750)', 'x = t"a{b}c"\ny = rt\'{z}\'\n'],
    ['arbitrary decorators (PEP 614)', '@buttons[0].clicked.connect\n@(lambda f: f)\n@a.b(1).c(2)\ndef f(): pass\n'],
    ['starred subscripts (PEP 646)', 'x: tuple[*Ts]\ndef f(*args: *Ts): pass\n'],
    ['defaults of type parameters (PEP 696)', 'class A[T = int]: pass\ndef f[T: int = int, *Ts = ()](x: T): pass\n'],
    ['except without brackets (PEP 758)', 'try:\n    a\nexcept A, B:\n    b\n'],
    ['lazy imports (PEP 810)', 'lazy import json\nlazy from a import b\nx = 1\n'],
    ['bare yield', 'def f():\n    x = yield\n    return (yield)\n'],
    ['floats that end with a point', 'x = 2.*y + (1.).real + 3. if z else 20.\n'],
    [
      'brackets around with items (PEP 617)',
      'with (open(a) as b,\n      open(c) as d):\n    pass\nwith x() as (y, z):\n    pass\n',
    ],
    ['class patterns without arguments', 'match x:\n    case str() | int():\n        pass\n'],
    ['starred loop targets', 'for a, *b in c:\n    pass\nx = [b for a, *b in c]\n'],
    ['exception groups', 'try:\n    a\nexcept* ValueError:\n    b\n'],
    ['type statements and type parameters (PEP 695)', 'type X[T] = list[T]\ndef f[T](x: T) -> T: ...\n'],
    ['nested quotes in f-strings (PEP 701)', 'x = f"{a["b"]}"\n'],
    ['the walrus', 'if (n := len(a)) > 10: pass\n'],
  ])('%s is no error', (_title, text) => {
    expect(errorAt(text)).toBeUndefined();
  });

  it.each([
    ['a decorator', '@a(1).b(2)\ndef f(x): pass\n'],
    ['a template string', '@a\ndef f(x=t"{y}"): pass\n'],
    ['type parameters', 'def f[T = int](x: T): pass\n'],
    ['a lazy import before it', 'lazy import json\ndef f(x): pass\n'],
  ])('keeps the function that has %s', (_title, text) => {
    const functions = parsePython(text).statements.filter((statement) => statement.kind === 'function');
    expect(functions).toMatchObject([{ name: 'f', parameters: [{ name: 'x' }] }]);
  });

  it('keeps every offset', () => {
    const text = '@a(1).b(2)\ndef f(x=t"{y}", z=2.): pass\n';
    const [statement] = parsePython(text).statements;
    const ends = statement?.kind === 'function' ? statement.parameters.map(({ from, to }) => text.slice(from, to)) : [];
    expect(ends).toEqual(['x=t"{y}"', 'z=2.']);
  });
});

describe('statements', () => {
  it('are read with what they say', () => {
    const text = [
      'from __future__ import annotations',
      'import a.b as c, d',
      'from ..e.f import (g as h, i)',
      'from j import *',
      'K: int = 1',
      'L = M = 2, 3',
      'class N(O, metaclass=P):',
      '    """Doc"""',
      '    q: int = 1',
      'async def r(s, /, t: int = 1, *u, v, **w) -> int:',
      '    "D" "oc"',
    ].join('\n');
    expect(parsePython(text).statements).toMatchObject([
      { kind: 'from', level: 0, module: '__future__', names: [{ name: 'annotations' }] },
      { kind: 'import', names: [{ module: 'a.b', alias: 'c' }, { module: 'd' }] },
      { kind: 'from', level: 2, module: 'e.f', names: [{ name: 'g', alias: 'h' }, { name: 'i' }] },
      { kind: 'from', level: 0, module: 'j', names: '*' },
      { kind: 'assign', targets: [{ id: 'K' }], annotation: { id: 'int' }, value: { text: '1' } },
      { kind: 'assign', targets: [{ id: 'L' }, { id: 'M' }], value: { kind: 'tuple' } },
      {
        kind: 'class',
        name: 'N',
        docstring: 'Doc',
        args: [{ kind: 'positional' }, { kind: 'keyword', name: 'metaclass' }],
      },
      {
        kind: 'function',
        name: 'r',
        async: true,
        docstring: 'Doc',
        parameters: [
          { name: 's' },
          { name: 't' },
          { name: 'u', kind: 'star' },
          { name: 'v' },
          { name: 'w', kind: 'double-star' },
        ],
      },
    ]);
  });

  it('nested without end do not exhaust the stack', () => {
    const deep = `x = ${'('.repeat(5000)}1${')'.repeat(5000)}\n${'a + '.repeat(5000)}a\n`;
    expect(parsePython(deep).statements.length).toBeGreaterThan(0);
  });

  it('broken ten thousand times over are given up at once', () => {
    expect(errorAt('@a.b(1).c(\n'.repeat(10_000))).toBeDefined();
  });
});

describe('expressions on their own', () => {
  it.each([
    ['Optional[int]', 'subscript'],
    ['int | None', 'binary'],
    ['  list[\n int]  ', 'subscript'],
  ])('%j is one', (text, kind) => {
    expect(parseExpression(text)?.kind).toBe(kind);
  });

  it.each(['', 'int int', 'x = 1', 'list[', 'a) + (b', 'a, b'])('%j is none', (text) => {
    expect(parseExpression(text)).toBeUndefined();
  });
});
