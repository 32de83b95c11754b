import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, inject, it } from 'vitest';
import { prepared } from '../../src/steps/testing-prepare.ts';
import { makeDirectory } from '../../src/steps/testing-run.ts';

it("runs Prefect's own functions through the Python on the PATH", async () => {
  const rig = inject('rig');
  const directory = await makeDirectory();
  await mkdir(join(directory, 'source'));
  await writeFile(join(directory, 'source/flow.py'), 'x = 1\n');
  const text = `build:
- prefect.deployments.steps.pull_from_remote_storage: {id: copy, url: "file://${directory}/source"}
deployments: [{name: x}]
`;
  const { outputs } = await prepared(text, {
    directory,
    env: { PATH: `${join(rig.prefectEnvironment, 'bin')}:${process.env.PATH}`, PREFECT_HOME: join(directory, 'home') },
  });
  const copied = `${directory.slice(1)}/source`;
  expect(outputs?.copy).toEqual({ directory: copied });
});
