import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { prepared, problemsIn } from './testing-prepare.ts';
import { makeDirectory } from './testing-run.ts';

describe('pip_install_requirements', () => {
  const text = `build: [{prefect.deployments.steps.pip_install_requirements: {id: pip}}]\ndeployments: [{name: x}]`;

  async function fakePython(script: string): Promise<Record<string, string>> {
    const bin = await makeDirectory();
    await writeFile(join(bin, 'python'), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
    return { PATH: `${bin}:/usr/bin:/bin` };
  }

  it('runs pip with the Python on the PATH, in the project', async () => {
    const { outputs, directory } = await prepared(text, { env: await fakePython('echo "$PWD $@"; echo e >&2') });
    expect(outputs?.pip).toEqual({ stdout: `${directory} -m pip install -r requirements.txt`, stderr: 'e' });
  });

  it('fails with what pip said', async () => {
    const env = await fakePython('echo "No matching distribution" >&2; exit 1');
    expect(await problemsIn(text, { env })).toEqual([
      '1:10 the step pip_install_requirements (id pip) failed with exit code 1: No matching distribution',
    ]);
  });

  it('says so when there is no Python', async () => {
    expect(await problemsIn(text, { env: { PATH: '/nowhere' } })).toEqual([
      '1:10 the step pip_install_requirements (id pip) needs Python, which is not on the PATH',
    ]);
  });
});
