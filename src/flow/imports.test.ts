import { describe, expect, it } from 'vitest';
import { readFlow } from './index.ts';
import { memoryFiles } from './memory-files.ts';

const FLOW = 'from prefect import flow\n';

/** The property of the parameter `x`. */
async function propertiesOf(entrypoint: string, files: Record<string, string>) {
  const flow = await readFlow(entrypoint, { directory: '/r', files: memoryFiles({ '/r/.git/HEAD': '', ...files }) });
  expect(flow.parameters).not.toHaveProperty('reasons');
  return flow.parameters.schema.properties;
}

const uses = (line: string): string => `${FLOW}${line}\n@flow\ndef f(x: T): ...\n`;
const T = 'T = int\n';
const integer = { x: { position: 0, title: 'x', type: 'integer' } };
const ANNOTATED =
  'try:\n    from typing import Annotated\nexcept ImportError:\n    from typing_extensions import Annotated\nT = Annotated[int, 1]';

describe('imports are followed within the repository', () => {
  it.each<[string, string, Record<string, string>, string]>([
    ['beside the script', 'flows/f.py', { '/r/flows/types_here.py': T }, 'from types_here import T'],
    ['from the project folder', 'flows/f.py', { '/r/shared/t.py': T }, 'from shared.t import T'],
    ['relative to the script', 'flows/f.py', { '/r/flows/t.py': T }, 'from .t import T'],
    ['from a package', 'f.py', { '/r/pkg/__init__.py': T }, 'from pkg import T'],
    [
      'through a package',
      'f.py',
      { '/r/pkg/__init__.py': 'from .a import T\n', '/r/pkg/a.py': T },
      'from pkg import T',
    ],
    ['as a submodule', 'f.py', { '/r/pkg/__init__.py': '', '/r/pkg/a.py': T }, 'from pkg import a\nT = a.T'],
    ['of a folder without __init__.py', 'f.py', { '/r/pkg/a.py': T }, 'import pkg.a\nT = pkg.a.T'],
    ['under another name', 'f.py', { '/r/pkg/a.py': T }, 'import pkg.a as other\nT = other.T'],
    ['with a star', 'f.py', { '/r/a.py': T }, 'from a import *'],
    ['out of the src folder', 'f.py', { '/r/src/pkg/__init__.py': T }, 'from pkg import T'],
    ['with a fallback that is the same', 'f.py', {}, ANNOTATED],
    [
      'from two levels up',
      'f.py',
      {
        '/r/pkg/__init__.py': '',
        '/r/pkg/sub/__init__.py': '',
        '/r/pkg/sub/a.py': 'from ..b import T\n',
        '/r/pkg/b.py': T,
      },
      'from pkg.sub.a import T',
    ],
    ['in a circle', 'f.py', { '/r/a.py': 'import b\nT = int\n', '/r/b.py': 'from a import T\n' }, 'from b import T'],
  ])('%s', async (_title, file, files, line) => {
    expect(await propertiesOf(`${file}:f`, { [`/r/${file}`]: uses(line), ...files })).toEqual(integer);
  });

  it('from a module entrypoint too', async () => {
    const files = { '/r/pkg/__init__.py': '', '/r/pkg/flows.py': uses('from .t import T'), '/r/pkg/t.py': T };
    expect(await propertiesOf('pkg.flows:f', files)).toEqual(integer);
    expect(await propertiesOf('pkg.flows.f', files)).toEqual(integer);
  });

  it('prefers the module beside the script', async () => {
    const files = { '/r/flows/f.py': uses('from t import T'), '/r/flows/t.py': T, '/r/t.py': 'T = str\n' };
    expect(await propertiesOf('flows/f.py:f', files)).toEqual(integer);
  });

  it('never takes a file of the repository for a module that is loaded before it', async () => {
    const files = {
      '/r/f.py': `${FLOW}from typing import Any\n@flow\ndef f(x: Any): ...`,
      '/r/typing.py': 'Any = int\n',
    };
    expect(await propertiesOf('f.py:f', files)).toEqual({ x: { position: 0, title: 'x' } });
  });

  it('reads nothing outside the repository', async () => {
    const text = uses('from pkg import T');
    const files = memoryFiles({
      '/r/.git/HEAD': '',
      '/r/f.py': text,
      '/r/pkg/__init__.py': 'from ...secret import T\n',
      '/secret.py': T,
    });
    const flow = await readFlow('f.py:f', { directory: '/r', files });
    expect(flow.parameters).toMatchObject({
      kind: 'approximate',
      schema: { properties: { x: { position: 0, title: 'x' } } },
    });
  });
});
