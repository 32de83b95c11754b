import type { JsonObject } from '@slipway/prefect/json';
import { describe, expect, it } from 'vitest';
import { readFlow } from './index.ts';
import { memoryFiles } from './memory-files.ts';

/** The parameters of `f` in a file with this text, other files beside it. */
async function parameters(text: string, others: Record<string, string> = {}) {
  const files = memoryFiles({ '/r/f.py': `from prefect import flow\n${text}`, ...others });
  return (await readFlow('f.py:f', { directory: '/r', files })).parameters;
}

/** What an unknown parameter looks like: it accepts everything. */
const anything = (name: string, position: number): JsonObject => ({ position, title: name });

const MODEL = 'from pydantic import BaseModel\nclass M(BaseModel):\n';
const USE = '@flow\ndef f(x: M): ...';

describe('a type that only the running code knows', () => {
  it.each([
    ['a class of a package', 'from lib import M\n@flow\ndef f(x: M): ...', 'lib.M is not in this repository'],
    [
      'a model made by a call',
      `from pydantic import create_model\nM = create_model("M", a=(int, 1))\n${USE}`,
      'pydantic.create_model makes',
    ],
    ['a model made by a function', `def make(): ...\nM = make()\n${USE}`, 'a type that a call makes'],
    [
      'a model with a base from a package',
      `from lib import Base\nclass M(Base):\n    a: int\n${USE}`,
      'the base class lib.Base is not in this repository',
    ],
    [
      'a model that makes its own schema',
      `${MODEL}    @classmethod\n    def __get_pydantic_json_schema__(cls, *a): ...\n${USE}`,
      'M makes its own schema',
    ],
    [
      'a model with a field of such a class',
      `from lib import Config\n${MODEL}    a: Config\n${USE}`,
      'lib.Config is not in this repository',
    ],
    [
      'a class under an unknown decorator',
      `from lib import deco\n@deco\nclass M: ...\n${USE}`,
      'a decorator of M may change it',
    ],
    [
      'fields under a condition',
      `import sys\n${MODEL}    if sys.argv:\n        a: int\n${USE}`,
      'some fields of M depend on a condition',
    ],
    [
      'one of two types',
      `import sys\nif sys.argv:\n    M = int\nelse:\n    M = str\n${USE}`,
      'M gets its value in more than one way',
    ],
    [
      'an enum with computed members',
      `import enum\nclass M(enum.Enum):\n    A = len("x")\n${USE}`,
      'what builtins.len(…) returns',
    ],
    [
      'an enum with its own __new__',
      `import enum\nclass M(enum.Enum):\n    A = 1\n    def __new__(cls, v): ...\n${USE}`,
      'M makes its own values in __new__',
    ],
    ['a name that is not defined', USE, 'the name M is not defined'],
    ['a class that is changed later', `${MODEL}    a: int\nM.a = 1\n${USE}`, 'M is changed after its definition'],
    [
      'a model setting made by a function',
      `def g(n): return n\n${MODEL}    model_config = {"alias_generator": g}\n    a: int\n${USE}`,
      'aliases are made by a function',
    ],
    [
      'a Prefect block',
      'from prefect.blocks.system import Secret\n@flow\ndef f(x: Secret): ...',
      'prefect.blocks.system.Secret is not in this repository',
    ],
  ])('is anything: %s', async (_title, text, reason) => {
    expect(await parameters(text)).toEqual({
      kind: 'approximate',
      hasAllNames: true,
      schema: { title: 'Parameters', type: 'object', properties: { x: anything('x', 0) }, required: ['x'] },
      reasons: [expect.stringContaining(reason)],
    });
  });

  it('leaves the other parameters exact, descriptions and defaults too', async () => {
    const text =
      'from lib import Config\n@flow\ndef f(a: int, x: Config = None, b: str = "b"):\n    """S.\n\n    Args:\n        x: the x\n    """';
    expect(await parameters(text)).toMatchObject({
      kind: 'approximate',
      schema: {
        properties: {
          a: { position: 0, title: 'a', type: 'integer' },
          x: { position: 1, title: 'x', default: null, description: 'the x' },
          b: { position: 2, title: 'b', type: 'string', default: 'b' },
        },
        required: ['a'],
      },
    });
  });

  it('takes every parameter of a signature with a pydantic v1 model, as Prefect uses another generator then', async () => {
    const text = 'from pydantic.v1 import BaseModel\nclass M(BaseModel):\n    a: int\n@flow\ndef f(x: M, y: int): ...';
    expect(await parameters(text)).toMatchObject({
      kind: 'approximate',
      schema: { properties: { x: anything('x', 0), y: anything('y', 1) } },
    });
  });

  it('is the second of two classes of one name', async () => {
    const other = { '/r/other.py': 'from pydantic import BaseModel\nclass M(BaseModel):\n    b: str\n' };
    const text = `import other\n${MODEL}    a: int\n@flow\ndef f(x: M, y: other.M): ...`;
    expect(await parameters(text, other)).toMatchObject({
      kind: 'approximate',
      schema: { properties: { y: anything('y', 1) } },
      reasons: ['parameter y: two classes are named M'],
    });
  });

  it('is one whose module cannot be read as Python', async () => {
    const other = { '/r/other.py': 'class M(:\n' };
    expect(await parameters('from other import M\n@flow\ndef f(x: M): ...', other)).toMatchObject({
      kind: 'approximate',
      reasons: ['parameter x: other.py:1:9 cannot be read as Python'],
    });
  });
});

describe('a default that only the running code knows', () => {
  it.each([
    ['an environment variable', 'import os\n@flow\ndef f(x: int = os.environ["X"]): ...'],
    ['the time of day', 'import datetime\n@flow\ndef f(x: int = datetime.datetime.now()): ...'],
    ['a constant of a package', 'from lib import LIMIT\n@flow\ndef f(x: int = LIMIT): ...'],
    ['a function call', 'def g(): return 1\n@flow\ndef f(x: int = g()): ...'],
    ['a list that is appended to', 'L = [1]\nL.append(2)\n@flow\ndef f(x: int = L): ...'],
    [
      'a model with a validator',
      `from pydantic import field_validator\n${MODEL}    a: int\n    @field_validator("a")\n    def v(cls, a): return a + 1\n@flow\ndef f(x: int = M(a=1)): ...`,
    ],
    ['a model given something to convert', `${MODEL}    a: int\n@flow\ndef f(x: int = M(a="1")): ...`],
  ])('is left out, and the parameter stays optional: %s', async (_title, text) => {
    const found = await parameters(text);
    expect(found.kind).toBe('approximate');
    expect(found.schema).toEqual({
      title: 'Parameters',
      type: 'object',
      properties: { x: { position: 0, title: 'x', type: 'integer' } },
    });
  });
});

describe('a file that describes more than anybody can follow', () => {
  const lines = (count: number, line: (index: number) => string): string =>
    Array.from({ length: count }, (_, index) => line(index)).join('\n');

  it.each([
    [
      'types that double forty times',
      `from typing import *\nA0 = int\n${lines(40, (i) => `A${i + 1} = Tuple[A${i}, List[A${i}]]`)}\n@flow\ndef f(x: A40): ...`,
    ],
    [
      'types that double twenty-five times, as text',
      `from typing import *\nA0 = int\n${lines(25, (i) => `A${i + 1} = Tuple[A${i}, A${i}]`)}\n@flow\ndef f(x: "A25"): ...`,
    ],
    [
      'a chain of five thousand names',
      `A0 = int\n${lines(5000, (i) => `A${i + 1} = A${i}`)}\n@flow\ndef f(x: A5000): ...`,
    ],
    ['a name that is itself', 'A = B\nB = A\ndef f(): ...\nA = [A]\n@flow\ndef f(x: A): ...'],
  ])('is neither a hang nor a crash: %s', async (_title, text) => {
    expect(await parameters(text)).toMatchObject({
      kind: 'approximate',
      schema: { properties: { x: anything('x', 0) } },
    });
  });

  it('loses a default that doubles forty times, and keeps its type', async () => {
    const text = `L0 = [1]\n${lines(40, (i) => `L${i + 1} = [L${i}, L${i}]`)}\n@flow\ndef f(x: int = L40): ...`;
    expect(await parameters(text)).toMatchObject({
      kind: 'approximate',
      schema: { properties: { x: { position: 0, title: 'x', type: 'integer' } } },
    });
  });
});

describe('a Field whose arguments only the running code knows', () => {
  it.each([
    ['as default', 'int = Field(1, json_schema_extra=lambda s: None)'],
    ['inside Annotated', 'Annotated[int, Field(default=1, json_schema_extra=lambda s: None)]'],
  ])('%s does not make the parameter required', async (_title, written) => {
    const imports = 'from typing import Annotated\nfrom pydantic import Field';
    expect(await parameters(`${imports}\n@flow\ndef f(x: ${written}): ...`)).toMatchObject({
      kind: 'approximate',
      schema: { title: 'Parameters', type: 'object', properties: { x: anything('x', 0) } },
      reasons: ['parameter x: json_schema_extra is computed'],
    });
    expect((await parameters(`${imports}\n@flow\ndef f(x: ${written}): ...`)).schema.required).toBeUndefined();
  });
});
