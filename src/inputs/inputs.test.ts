import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { problemsOf } from '../problem.ts';
import { readInputs } from './inputs.ts';

const action = parse(readFileSync(resolve(import.meta.dirname, '../../action.yml'), 'utf8')) as {
  inputs: Record<string, { default?: string }>;
};

/** The environment a runner makes of `with:` and action.yml. */
function runnerEnv(given: Record<string, string> = {}): Record<string, string> {
  return Object.fromEntries(
    Object.entries(action.inputs).map(([name, input]) => [
      `INPUT_${name.toUpperCase()}`,
      given[name] ?? input.default ?? '',
    ]),
  );
}

function refusals(given: Record<string, string>): string[] {
  try {
    readInputs(runnerEnv(given));
    return [];
  } catch (error) {
    return (problemsOf(error) ?? []).map((problem) => `${problem.message}: ${problem.remedy}`);
  }
}

describe('inputs', () => {
  it('are all defaults when nothing is written', () => {
    expect(readInputs(runnerEnv())).toMatchObject({
      workingDirectory: '.',
      prefectFile: 'prefect.yaml',
      deployments: [],
      mode: 'auto',
      baseImage: 'prefecthq/prefect:3-latest',
      builder: undefined,
      allowUntrusted: false,
      image: undefined,
      registry: { kind: 'auto', credentials: undefined, createRepository: false, awsRole: undefined },
      run: [],
      wait: false,
      runTimeoutMs: 3_600_000,
      cancelRuns: true,
      schema: 'auto',
    });
  });

  it('say where schemas come from', () => {
    expect(readInputs(runnerEnv({ schema: 'image' })).schema).toBe('image');
    expect(refusals({ schema: 'exact' })).toEqual(['the input schema is "exact": Use one of auto, static, image.']);
  });

  it('say what becomes of an image that exists', () => {
    expect(readInputs(runnerEnv()).ifExists).toBe('reuse');
    expect(readInputs(runnerEnv({ 'if-exists': 'rebuild' })).ifExists).toBe('rebuild');
    expect(refusals({ 'if-exists': 'skip' })).toEqual(['the input if-exists is "skip": Use one of reuse, rebuild.']);
  });

  it('take one name per line', () => {
    expect(readInputs(runnerEnv({ deployments: ' a \n\nflow/b\n' })).deployments).toEqual(['a', 'flow/b']);
  });

  it('lay the Prefect inputs over the environment only where they are written', () => {
    const env = {
      ...runnerEnv({ 'prefect-api-url': 'http://input/api' }),
      PREFECT_API_URL: 'http://env/api',
      PREFECT_API_KEY: 'env',
    };
    expect(readInputs(env).prefectEnv).toMatchObject({ PREFECT_API_URL: 'http://input/api', PREFECT_API_KEY: 'env' });
  });

  it('read runs with and without parameters', () => {
    expect(readInputs(runnerEnv({ run: 'a\nf/b {"x": 1}' })).run).toEqual([
      { deployment: 'a', parameters: {} },
      { deployment: 'f/b', parameters: { x: 1 } },
    ]);
  });

  it.each([
    ['run-timeout', '90s', 90_000],
    ['run-timeout', '1.5h', 5_400_000],
  ])('read %s %s', (name, value, ms) => {
    expect(readInputs(runnerEnv({ [name]: value })).runTimeoutMs).toBe(ms);
  });

  it.each([
    ['mode', 'destroy', 'Use one of auto, plan, deploy.'],
    ['wait', 'yes', 'Use true or false.'],
    ['run-timeout', '10', 'with a unit'],
    ['run-timeout', '0m', 'above 0'],
    ['run', 'a {x: 1}', 'are not JSON'],
    ['registry-username', 'ford', 'registry-password is missing'],
    ['platforms', 'linux/arm64', 'platforms is about the action’s own image'],
    ['build-args', 'A=1', 'write `buildargs:` in the build_docker_image step'],
    ['if-exists', 'skip', 'the input if-exists is "skip"'],
    ['prune', 'true', 'prune is not supported by this version'],
  ])('refuse %s: %s', (name, value, expected) => {
    const found = refusals({ [name]: value });
    expect(found).toHaveLength(1);
    expect(found[0]).toContain(expected);
  });

  it('report everything that is wrong at once', () => {
    expect(refusals({ mode: 'x', wait: 'x', prune: 'true' })).toHaveLength(3);
  });
});
