import { describe, expect, it } from 'vitest';
import { makeCases, pythonCase, yamlCase } from './cases.ts';
import { runCases } from './run-cases.ts';

/** Few, always the same, so that a change that breaks one says so; `npm run test:fuzz` tries thousands of others. */
const SEED = 1;
const COUNT = 100;

describe('a mutated file gives a result or problems with their places, never a crash or a hang', () => {
  it.each([
    ['prefect.yaml', yamlCase],
    ['Python', pythonCase],
  ])('%s', { timeout: 120_000 }, async (_name, make) => {
    const cases = makeCases(make, SEED, COUNT);
    const outcomes = await runCases(cases);
    expect(outcomes).toHaveLength(COUNT);
    for (const [index, outcome] of outcomes.entries()) {
      expect(outcome.kind, `seed ${cases[index]?.seed}: ${outcome.words}\n${cases[index]?.text}`).not.toBe('defect');
    }
    expect(outcomes.filter((outcome) => outcome.kind === 'result').length).toBeGreaterThan(0);
  });
});
