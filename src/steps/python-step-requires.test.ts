import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { project, refused, run } from './testing-python-step.ts';
import { makeDirectory, testContext } from './testing-run.ts';

describe('what a step requires', () => {
  /** A Python whose pip, which is none and reaches no index, installs the module `slipway_test_wanted`, or fails, and writes down what it was asked for. */
  async function withPip(pip: string): Promise<{ PATH: string; asked: () => Promise<string>; directory: string }> {
    const directory = await project();
    const fake = await makeDirectory();
    await mkdir(join(fake, 'lib/pip'), { recursive: true });
    await mkdir(join(fake, 'bin'));
    const asked = join(fake, 'asked');
    await writeFile(join(fake, 'lib/pip/__init__.py'), '');
    await writeFile(
      join(fake, 'lib/pip/__main__.py'),
      `import sys\nopen(${JSON.stringify(asked)}, 'a').write(' '.join(sys.argv[1:]) + '\\n')\nprint('pip at work')\n${pip}`,
    );
    const executable = await pythonExecutable();
    await writeFile(
      join(fake, 'bin/python'),
      `#!/bin/sh\nPIP_NO_INDEX=1 PYTHONPATH=${fake}/lib exec ${executable} "$@"\n`,
      {
        mode: 0o755,
      },
    );
    return {
      PATH: `${join(fake, 'bin')}${delimiter}${process.env.PATH}`,
      asked: () => readFile(asked, 'utf8').catch(() => ''),
      directory,
    };
  }

  async function pythonExecutable(): Promise<string> {
    const context = await testContext();
    const { stdout } = await context.world.exec('python3', ['-c', 'import sys; print(sys.executable)'], {
      cwd: '/',
      env: context.world.env,
      signal: context.world.signal,
    });
    return stdout.trim();
  }

  const INSTALL = `import os\nopen(os.path.join(os.path.dirname(os.path.dirname(__file__)), 'slipway_test_wanted.py'), 'w').write('def go(): return {"went": 1}')`;

  it('is installed when it cannot be imported, all of it, with Prefect’s own integrations as extras', async () => {
    const { PATH, asked, directory } = await withPip(INSTALL);
    const { outputs, logged } = await run(
      '{slipway_test_wanted.go: {requires: ["slipway-test-wanted>=1", prefect-aws, prefect-gcp>=0.6]}}',
      { directory, env: { PATH } },
    );
    expect(outputs?.went).toBe(1);
    expect(await asked()).toMatch(
      /^install (?:prefect==\S+ )?slipway-test-wanted>=1 prefect\[aws\] prefect-gcp>=0\.6\n$/,
    );
    expect(logged).toContain('pip at work');
  });

  it('is left alone when it is there', async () => {
    const { PATH, asked, directory } = await withPip(INSTALL);
    await run('{my_team.steps.show: {requires: my-team~=2}}', { directory, env: { PATH } });
    expect(await asked()).toBe('');
  });

  it('may fail to install when the function can be imported all the same', async () => {
    const { PATH, directory } = await withPip('sys.exit(4)');
    const { outputs } = await run('{my_team.steps.show: {requires: slipway-test-gone, a: 1}}', {
      directory,
      env: { PATH },
    });
    expect(outputs?.a).toBe(1);
  });

  it('is told of in the error otherwise', async () => {
    const { PATH, directory } = await withPip('sys.exit(4)');
    const { message } = await refused('{slipway_test_gone.go: {requires: slipway-test-gone}}', {
      directory,
      env: { PATH },
    });
    expect(message).toContain(
      "cannot import: No module named 'slipway_test_gone'; installing what it requires failed with exit code 4",
    );
  });
});
