import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { problemsOf } from '../problem.ts';
import { readFlow } from './index.ts';
import { memoryFiles } from './memory-files.ts';

const where = { file: 'prefect.yaml', line: 3, column: 5 };

/** Reads `entrypoint` out of a repository with these files; a project in `/r` unless said otherwise. */
function read(entrypoint: string, files: Record<string, string>, directory = '/r') {
  return readFlow(entrypoint, { directory, files: memoryFiles({ '/r/.git/HEAD': '', ...files }), where });
}

/** The first Problem of a reading that must fail. */
async function problem(entrypoint: string, files: Record<string, string>, directory = '/r') {
  const error = await read(entrypoint, files, directory).then(
    () => undefined,
    (reason: unknown) => reason,
  );
  const [first] = problemsOf(error) ?? [];
  if (first === undefined) throw error ?? new Error('it was read');
  return { message: first.message, remedy: first.remedy, where: first.where };
}

const file = (text: string): Record<string, string> => ({ '/r/f.py': text });

describe('the name of a flow', () => {
  it.each([
    ['the function name with dashes', '@flow\ndef my_Flow__X(): ...', 'my_Flow__X', 'my-Flow--X'],
    ['name= as text', '@flow(name="My flow")\ndef f(): ...', 'f', 'My flow'],
    ['name= put together from constants', 'P = "etl"\n@flow(name=f"{P}-" "daily")\ndef f(): ...', 'f', 'etl-daily'],
    ['an empty name= is no name', '@flow(name="")\ndef my_flow(): ...', 'my_flow', 'my-flow'],
    ['name=None is no name', '@flow(name=None)\ndef my_flow(): ...', 'my_flow', 'my-flow'],
    ['name= out of known options', 'O = {"name": "opts"}\n@flow(**O)\ndef f(): ...', 'f', 'opts'],
    ['the last definition counts', '@flow(name="a")\ndef f(): ...\n@flow(name="b")\ndef f(): ...', 'f', 'b'],
    ['a flow renamed in place', '@flow\ndef f(): ...\nf = f.with_options(name="new")', 'f', 'new'],
    [
      'the same name on both sides of a condition',
      'import sys\nif sys.argv:\n  N = "a"\nelse:\n  N = "a"\n@flow(name=N)\ndef f(): ...',
      'f',
      'a',
    ],
  ])('is %s', async (_title, text, name, expected) => {
    expect((await read(`f.py:${name}`, file(`from prefect import flow\n${text}`))).name).toBe(expected);
  });

  it.each([
    ['an environment variable', 'import os\n@flow(name=os.environ["N"])\ndef f(): ...'],
    ['a call', 'def n(): return "x"\n@flow(name=n())\ndef f(): ...'],
    ['a method of a text', '@flow(name="x".upper())\ndef f(): ...'],
    ['something imported from outside', 'from settings_lib import NAME\n@flow(name=NAME)\ndef f(): ...'],
    ['unknown options', 'from settings_lib import OPTIONS\n@flow(**OPTIONS)\ndef f(): ...'],
    ['one of two texts', 'import sys\nN = "a" if sys.argv else "b"\n@flow(name=N)\ndef f(): ...'],
    ['a constant that is changed later', 'N = "a"\nN += "b"\n@flow(name=N)\ndef f(): ...'],
  ])('that is %s is never guessed', async (_title, text) => {
    const found = await problem('f.py:f', file(`from prefect import flow\n${text}`));
    expect(found.remedy).toContain('@flow(name="');
    expect(found.where?.file).toBe('f.py');
  });

  it.each([
    [
      'from another module',
      'from team_lib import team_flow\n@team_flow\ndef f(): ...',
      'the decorator @team_flow is not known to make a flow',
    ],
    [
      'of this repository that makes flows',
      'from prefect import flow\ndef team(fn):\n    return flow(name="x")(fn)\n@team\ndef f(): ...',
      'the decorator @team is not known to make a flow',
    ],
    [
      'above @flow that may make another one',
      'from prefect import flow\nfrom lib import extra\n@extra(1)\n@flow(name="a")\ndef f(): ...',
      'the decorator @extra(1) above @flow may make another flow of it',
    ],
  ])('is refused under a decorator %s', async (_title, text, message) => {
    const found = await problem('f.py:f', file(text));
    expect(found.message).toContain(message);
    expect(found.remedy).toContain('@flow(name="');
    expect(found.where).toMatchObject({ file: 'f.py' });
  });

  it('is refused below a decorator that may rename the function, unless name= is given', async () => {
    const text = 'from prefect import flow\nfrom lib import wrap\n@flow\n@wrap\ndef f(x: int): ...';
    expect((await problem('f.py:f', file(text))).message).toContain(
      'the decorator @wrap below @flow may change the name of f',
    );
    const named = await read('f.py:f', file(text.replace('@flow', '@flow(name="n")')));
    expect(named.name).toBe('n');
    expect(named.parameters).toEqual({
      kind: 'approximate',
      hasAllNames: false,
      schema: { title: 'Parameters', type: 'object', properties: { x: { position: 0, title: 'x' } } },
      reasons: ['the decorator @wrap below @flow may change the parameters'],
    });
  });

  it.each(['a/b', 'a%b', 'a&b', 'a>b', 'a<b'])('with a character Prefect refuses, %s, is a problem', async (name) => {
    const found = await problem('f.py:f', file(`from prefect import flow\n@flow(name="${name}")\ndef f(): ...`));
    expect(found.message).toContain(`the flow name '${name}' has characters that Prefect refuses`);
    expect(found.where).toEqual({ file: 'f.py', line: 3, column: 5 });
  });
});

describe('an entrypoint that leads nowhere', () => {
  const hello = {
    '/r/flows/hello.py':
      'from prefect import flow\n@flow\ndef hello(): ...\n@flow\ndef other(): ...\ndef helper(): ...\nX = 1\n',
  };

  it('names the missing file at the entrypoint and the nearest one', async () => {
    expect(await problem('flows/helo.py:hello', hello)).toEqual({
      message: "entrypoint 'flows/helo.py:hello': there is no file flows/helo.py",
      remedy: expect.stringContaining('Did you mean flows/hello.py?'),
      where,
    });
  });

  it('says so too when the folder is missing', async () => {
    expect((await problem('nowhere/hello.py:hello', hello)).where).toEqual(where);
  });

  it('lists the flows of the file for a missing function, the nearest first', async () => {
    expect(await problem('flows/hello.py:helo', hello)).toEqual({
      message: "entrypoint 'flows/hello.py:helo': flows/hello.py has no helo",
      remedy: 'Did you mean hello? Its flows: hello, other.',
      where,
    });
  });

  it('says that a function is no flow, where it stands', async () => {
    expect(await problem('flows/hello.py:helper', hello)).toEqual({
      message: "entrypoint 'flows/hello.py:helper': helper is not a flow",
      remedy: 'Put @flow above its definition, or name a flow. Flows of this file: hello, other.',
      where: { file: 'flows/hello.py', line: 6, column: 5 },
    });
  });

  it('says that a constant is no flow', async () => {
    expect(await problem('flows/hello.py:X', hello)).toMatchObject({
      where: { file: 'flows/hello.py', line: 7, column: 1 },
    });
  });

  it('names a missing module', async () => {
    const found = await problem('flows.helo:hello', hello);
    expect(found.message).toContain('there is no module flows.helo');
    expect(found.where).toEqual(where);
  });

  it('names a missing method with those of its class', async () => {
    const text = 'from prefect import flow\nclass Etl:\n    @flow\n    def run(self): ...\n';
    expect((await problem('f.py:Etl.runn', file(text))).remedy).toBe('Did you mean Etl.run? Its flows: Etl.run.');
  });

  it('refuses a file outside the repository', async () => {
    const found = await problem('../outside.py:f', { '/outside.py': 'from prefect import flow\n@flow\ndef f(): ...' });
    expect(found.message).toContain('is outside this repository');
    expect(found.where).toEqual(where);
  });
});

describe('a syntax error', () => {
  it('is a problem at its line and column, also where it does not touch the flow', async () => {
    const text = 'from prefect import flow\n@flow\ndef f(): ...\ndef g():\n    x = = 1\n';
    expect(await problem('f.py:f', file(text))).toEqual({
      message: "syntax error: f.py cannot be read as Python near '= 1'",
      remedy: expect.stringContaining('Mend the line.'),
      where: { file: 'f.py', line: 5, column: 9 },
    });
  });
});

describe('a Python file of more than 5 MB', () => {
  const large = `${'# data\n'.repeat(800_000)}class M: ...\n`;

  it('is refused at its first line when a flow is looked for in it', async () => {
    expect(await problem('f.py:f', file(large))).toEqual({
      message: 'f.py is larger than 5 MB and is not read as Python',
      remedy: 'Move data out of the Python file, or point the entrypoint at a smaller one.',
      where: { file: 'f.py', line: 1, column: 1 },
    });
  });

  it('leaves unknown what a flow takes from it', async () => {
    const text = 'from prefect import flow\nfrom data import M\n@flow\ndef f(x: M): ...';
    const { parameters } = await read('f.py:f', { ...file(text), '/r/data.py': large });
    expect(parameters).toMatchObject({
      kind: 'approximate',
      reasons: [expect.stringContaining('data.py is larger than 5 MB')],
    });
  });
});

describe('places', () => {
  it('are relative to the repository when the project is a folder of it', async () => {
    const files = { '/r/etl/flows/f.py': 'from prefect import flow\n\ndef f(): ...\n' };
    const found = await problem('flows/f.py:f', files, '/r/etl');
    expect(found.where).toEqual({ file: 'etl/flows/f.py', line: 3, column: 5 });
  });
});

describe('parameters with which Prefect refuses a flow', () => {
  it.each(['_hidden', 'return_state', 'wait_for'])('%s is a problem at its place', async (name) => {
    const found = await problem('f.py:f', file(`from prefect import flow\n@flow\ndef f(a, ${name}=1): ...`));
    expect(found.message).toContain(`the flow parameter '${name}' makes the flow impossible`);
    expect(found.where).toEqual({ file: 'f.py', line: 3, column: 10 });
  });
});

describe('what else is read', () => {
  it('keeps the entrypoint as written and gives the function its own name', async () => {
    const flow = await read('./f.py:f', file('from prefect import flow\n@flow(name="n", version="7")\ndef f(): ...'));
    expect(flow).toMatchObject({ entrypoint: './f.py:f', name: 'n', functionName: 'f', version: '7' });
  });

  it.each([
    ['none', '@flow'],
    ['an empty one', '@flow(version="")'],
  ])('takes the hash of the file for the version when %s is written', async (_title, decorator) => {
    const text = `from prefect import flow\r\n${decorator}\ndef f(): ...`;
    const md5 = createHash('md5').update(text).digest('hex');
    expect((await read('f.py:f', file(text))).version).toBe(md5);
  });

  it('leaves a computed version to Prefect', async () => {
    const text = 'import os\nfrom prefect import flow\n@flow(version=os.getenv("V"))\ndef f(): ...';
    expect((await read('f.py:f', file(text))).version).toBeUndefined();
  });

  it('reads Windows line ends and a byte order mark', async () => {
    const text = '\ufefffrom prefect import flow\r\n@flow\r\ndef f(x: int):\r\n    """A\r\n    B"""\r\n';
    expect((await read('f.py:f', file(text))).description).toBe('A\nB');
  });
});

describe('a default that is a float', () => {
  it('is written as Python writes it', async () => {
    const text = 'from prefect import flow\n@flow\ndef f(a=1.0, b=-0.0, c=1e16, d=1.5, e=0.00001): ...';
    const { parameters } = await read('f.py:f', file(text));
    const { properties } = parameters.schema as { properties: Record<string, { default: unknown }> };
    expect(Object.values(properties).map((property) => JSON.stringify(property.default))).toEqual([
      '1.0',
      '-0.0',
      '1e+16',
      '1.5',
      '1e-05',
    ]);
  });
});
