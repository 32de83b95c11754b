import { damage, type Random } from './random.ts';

const SCRAPS = [
  ...[
    '(',
    ')',
    '[',
    ']',
    '{',
    '}',
    ':',
    ',',
    '=',
    '"',
    "'",
    "'''",
    '"""',
    '\n',
    '\r',
    '    ',
    '\t',
    '\\',
    '\\\n',
    '@',
    '*',
    '**',
    '|',
    ';',
    '#',
    '\0',
  ],
  ...[
    'lambda ',
    'class ',
    'def ',
    'async ',
    'await ',
    'import ',
    'from x import *\n',
    'return ',
    'yield ',
    'match x:\n',
    'é',
    '\ufeff',
    'f"{',
    't"',
    'b"',
  ],
];
const ANNOTATIONS = [
  ...[
    'int',
    'str | None',
    'Optional[int]',
    'list["Later"]',
    'dict[str, list[int]]',
    'Literal["a", 1, None]',
    'Annotated[int, Field(gt=0)]',
    'Any',
  ],
  ...[
    'Callable[..., int]',
    'tuple[int, ...]',
    'Union[int, Unknown]',
    '"list[int"',
    'x.y.z',
    'int or str',
    '1',
    'None',
    'type(3)',
    'f()',
    '[int]',
    'int[str]',
  ],
  ...[
    'datetime.datetime',
    'Path',
    'Enum',
    'Self',
    'T',
    'Mapping[str, "Model"]',
    'conint(gt=1)',
    'SecretStr',
    'NotRequired[int]',
    '...',
    '*Ts',
  ],
];
const DEFAULTS = [
  'None',
  '1',
  '-1.5',
  '"x"',
  '[]',
  '{}',
  '{1: 2}',
  '(1,)',
  '1_000',
  'UNKNOWN',
  'Color.RED',
  'f"{x}"',
  'lambda: 1',
  '1 / 0',
  '2 ** 9999',
  '"a" * 10**9',
  'b"x"',
  'float("nan")',
  '[*x]',
  'datetime.now()',
  'Path(".")',
  '...',
  '-"a"',
];
const LINES = [
  ...[
    'from __future__ import annotations',
    'from typing import *',
    'from . import other',
    'import a.b.c as d',
    'if TYPE_CHECKING:',
    'try:',
    'T = TypeVar("T")',
  ],
  ...[
    'type Alias = int | "Alias"',
    'A = B',
    'B = A',
    'class A(A): pass',
    'class M(BaseModel): x: "M" = None',
    '@flow',
    '@flow(name=NAME)',
    '@flow(name="")',
    '@task',
  ],
  ...[
    'def f(f=f): return f',
    'f = flow(f)',
    'f = f',
    'f = g(f)',
    'del f',
    'global f',
    '@flow(**options)',
    'with open("x") as f: pass',
    'for f in []: pass',
    'NAME = NAME + "x"',
  ],
];

/**
 * A Python file that may be wrong in one to four ways: in its bytes, in its lines, or in what a flow is made of:
 * annotations, defaults, decorators, names.
 */
export function mutatePython(text: string, random: Random): string {
  let mutated = text;
  for (let rounds = 1 + random.below(4); rounds > 0; rounds -= 1) {
    const kind = random.below(10);
    if (kind < 3) mutated = damage(mutated, SCRAPS, random);
    else if (kind < 6) mutated = mutateLines(mutated, random);
    else mutated = mutateParts(mutated, random);
  }
  return mutated;
}

function mutateLines(text: string, random: Random): string {
  const lines = text.split('\n');
  const at = random.below(lines.length);
  switch (random.below(4)) {
    case 0:
      lines.splice(at, 0, ' '.repeat(random.below(3) * 4) + random.pick(LINES));
      break;
    case 1:
      lines.splice(at, 1 + random.below(3));
      break;
    case 2:
      lines.splice(random.below(lines.length), 0, ...lines.slice(at, at + 1 + random.below(6)));
      break;
    default:
      lines[at] = ' '.repeat(random.below(12)) + (lines[at] ?? '').trimStart();
  }
  return lines.join('\n');
}

/** What to look for, and what may stand there instead. */
const PARTS: readonly (readonly [RegExp, readonly string[]])[] = [
  [/(?<=\w: )[^,=()\n]+/g, ANNOTATIONS],
  [/(?<== ?)[^,=()\n]+/g, DEFAULTS],
  [
    /(?<=@)[\w.]+/g,
    [
      'flow',
      'task',
      'prefect.flow',
      'other',
      'flow(name="x")',
      'flow.with_options(name=1)',
      'dataclass',
      'staticmethod',
      'property',
    ],
  ],
  [/(?<=\()(?=\w)/g, ['*, ', '/, ', '*args, ', '**kwargs, ', 'self, ', 'a, a, ', 'x: int = 1, ']],
  [/\b[A-Z]\w+\b/g, ['int', 'Unknown', 'Optional', 'BaseModel', 'Enum', 'A.B']],
];

function mutateParts(text: string, random: Random): string {
  const [pattern, replacements] = random.pick(PARTS);
  const found = [...text.matchAll(pattern)];
  if (found.length === 0) return mutateLines(text, random);
  const { index, 0: part } = random.pick(found);
  return text.slice(0, index) + random.pick(replacements) + text.slice(index + part.length);
}
