import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, inject, it } from 'vitest';
import { createExec } from '../../src/exec.ts';
import { askImages } from '../../src/flow/image/ask.ts';
import type { Question } from '../../src/flow/image/model.ts';
import { openTestWorld, type TestWorld } from '../../src/source/testing-world.ts';

const FLOWS: Readonly<Record<string, string>> = {
  'flows/etl.py': `
import datetime, os
from prefect import flow
from pydantic import create_model
import shared
print("noise at import")
Made = create_model("Made", rows=(int, shared.ROWS))

@flow(name="nightly", description=f"Up to {shared.ROWS} rows", version="7")
def etl(made: Made, day: datetime.date = datetime.date(2026, 1, 2)):
    """Loads.

    Args:
        day: which one
    """

@flow
def secrets(seen: str = ",".join(sorted(name for name in os.environ if "PREFECT" in name or "proxy" in name and os.environ[name]))): ...
`,
  'shared.py': 'ROWS = 10\n',
  'flows/broken.py': 'from prefect import flow\nimport nosuchlib\n@flow\ndef broken(): ...\n',
  'flows/ends.py': 'import os\nos._exit(3)\n',
  'flows/waits.py': 'import time\ntime.sleep(600)\n',
};

/** The real Prefect in a real image, run by the rig's Docker. */
describe('the flows of an image', () => {
  const rig = inject('rig');
  const image = 'schema-test/flows:1';
  let world: TestWorld;
  let folder: string;

  beforeAll(async () => {
    world = await openTestWorld({ ...rig.env, PREFECT_API_KEY: 'hunter2', HTTPS_PROXY: 'http://user:hunter2@proxy' });
    folder = await mkdtemp(join(tmpdir(), 'slipway-image-'));
    await mkdir(join(folder, 'flows'));
    for (const [path, text] of Object.entries(FLOWS)) await writeFile(join(folder, path), text);
    await writeFile(join(folder, 'Dockerfile'), 'FROM prefecthq/prefect:3-latest\nCOPY . /opt/prefect/demo/\n');
    const env = { ...world.env };
    delete env.HTTPS_PROXY;
    const built = await createExec()('docker', ['buildx', 'build', '--load', '--tag', image, folder], {
      cwd: folder,
      env,
      signal: world.signal,
    });
    expect(built.exitCode, built.stderr).toBe(0);
  });
  beforeEach(() => {
    world.logged.length = 0;
  });
  afterAll(async () => {
    await world?.close();
    await rm(folder, { recursive: true, force: true });
  });

  const ask = (questions: Partial<Question>[], seconds = 60) =>
    askImages(
      questions.map((one) => ({
        image,
        isOurs: true,
        directories: ['/opt/prefect/demo'],
        entrypoint: 'flows/etl.py:etl',
        ...one,
      })),
      { world, cwd: folder, signIn: async () => ({ env: world.env, close: async () => undefined }), seconds },
    );

  it('are told exactly: name, description, version, and the schema that only the code knows', async () => {
    const [etl, secrets, broken, gone, ends, after, byModule] = await ask([
      {},
      { entrypoint: 'flows/etl.py:secrets' },
      { entrypoint: 'flows/broken.py:broken' },
      { entrypoint: 'flows/etl.py:gone' },
      { entrypoint: 'flows/ends.py:x' },
      { entrypoint: './flows/etl.py:secrets' },
      { entrypoint: 'flows.etl.etl' },
    ]);
    const day = { default: '2026-01-02', description: 'which one', format: 'date', position: 1, title: 'day' };
    expect(etl).toEqual({
      kind: 'flow',
      name: 'nightly',
      description: 'Up to 10 rows',
      version: '7',
      schema: {
        title: 'Parameters',
        type: 'object',
        properties: {
          made: { $ref: '#/definitions/Made', position: 0, title: 'made' },
          day: { ...day, type: 'string' },
        },
        required: ['made'],
        definitions: {
          Made: {
            properties: { rows: { default: 10, title: 'Rows', type: 'integer' } },
            title: 'Made',
            type: 'object',
          },
        },
      },
    });
    expect(byModule).toEqual(etl);
    expect(secrets).toMatchObject({ version: undefined, schema: { properties: { seen: { default: '' } } } });
    expect(after).toEqual(secrets);
    expect(broken).toEqual({
      kind: 'not loaded',
      error: "ModuleNotFoundError: No module named 'nosuchlib'",
      place: { file: 'flows/broken.py', line: 2 },
    });
    expect(gone).toMatchObject({ kind: 'not loaded', error: expect.stringContaining("'gone' not found") });
    expect(ends).toMatchObject({ kind: 'not loaded', error: expect.stringContaining('exit code 3') });
  });

  it('are looked for where the pull steps go, each place by itself', async () => {
    const [below, image, nowhere] = await ask([
      { directories: ['/opt/prefect', 'demo/flows'], entrypoint: 'etl.py:secrets' },
      { directories: [], entrypoint: 'demo/flows/etl.py:secrets' },
      { directories: ['/nosuch'] },
    ]);
    // `import shared` is found from the project's directory alone.
    expect(below).toMatchObject({ kind: 'not loaded', error: "ModuleNotFoundError: No module named 'shared'" });
    expect(image).toMatchObject({ kind: 'not loaded', error: "ModuleNotFoundError: No module named 'shared'" });
    expect(nowhere).toMatchObject({ kind: 'not asked', reason: expect.stringContaining('is not in the image') });
  });

  it('that wait for something are given up, and their container goes', async () => {
    const [waits] = await ask([{ entrypoint: 'flows/waits.py:x' }], 8);
    expect(waits).toMatchObject({ kind: 'not asked', reason: 'the flow was not loaded within 8 s' });
    const left = await createExec()('docker', ['ps', '--all', '--quiet', '--filter', 'name=slipway-schema'], {
      cwd: folder,
      env: world.env,
      signal: world.signal,
    });
    expect(left.stdout).toBe('');
  });

  it.each([
    ['no such image', { image: `${rig.registry}/schema-test/nosuch:1` }, 'cannot be fetched'],
    ['an image without Python', { image: `${rig.registry}/slipway-rig/pause:1`, isOurs: false }, 'did not run Python'],
  ])('cannot be asked for with %s', async (_name, question, reason) => {
    const [answer] = await ask([question]);
    expect(answer).toMatchObject({ kind: 'not asked', reason: expect.stringContaining(reason) });
  });
});
