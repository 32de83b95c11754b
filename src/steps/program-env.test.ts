import { describe, expect, it } from 'vitest';
import { prepared, SHELL } from './testing-prepare.ts';
import { run } from './testing-python-step.ts';

const programEnv = { PREFECT_API_URL: 'http://input/api', PREFECT_API_KEY: 'pnu_of_the_input' };
const env = { PREFECT_API_URL: 'http://job/api' };

describe('the connection that the action uses', () => {
  it('is there for a step that Python runs', async () => {
    const { outputs } = await run('{my_team.steps.look: {id: seen}}', { env, programEnv });
    expect(outputs?.seen).toMatchObject({ env: programEnv });
  });

  it('is there for the programs of a script, unless it sets its own', async () => {
    const script = 'printenv PREFECT_API_URL PREFECT_API_KEY';
    const own = 'env: {PREFECT_API_KEY: pnu_other}';
    const { entries } = await prepared(
      `build: [{${SHELL}: {id: a, script: ${script}}}, {${SHELL}: {id: b, script: ${script}, ${own}}}]
deployments: [{name: x}]`,
      { env, programEnv },
    );
    expect(entries[0]?.outputs).toMatchObject({
      a: { stdout: 'http://input/api\npnu_of_the_input' },
      b: { stdout: 'http://input/api\npnu_other' },
    });
  });

  it('is nothing that a template can name: what templates hold ends up in deployments', async () => {
    const { outputs } = await prepared(
      `build: [{${SHELL}: {script: "echo {{ $PREFECT_API_URL }} {{ $PREFECT_API_KEY }}."}}]\ndeployments: [{name: x}]`,
      { env, programEnv },
    );
    expect(outputs?.stdout).toBe('http://job/api .');
  });
});
