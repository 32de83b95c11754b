import { join } from 'node:path';
import { expect, inject, it } from 'vitest';
import { makeCases, yamlCase } from '../fuzz/cases.ts';
import { differences, readWithPyYaml } from '../fuzz/pyyaml.ts';
import { runCases } from '../fuzz/run-cases.ts';
import { soon } from './prefect.ts';

it('a mutated prefect.yaml is read as PyYAML reads it, and refused when PyYAML refuses it', async () => {
  const cases = makeCases(yamlCase, 1, 300);
  const texts = cases.map((one) => one.text);
  const python = join(inject('rig').prefectEnvironment, 'bin/python');
  const theirs = await readWithPyYaml(python, texts, soon());
  const found = differences(await runCases(cases), theirs);
  expect(found.map(({ index, words }) => `seed ${cases[index]?.seed}: ${words}\n${texts[index]}`)).toEqual([]);
});
