import { describe, expect, it } from 'vitest';
import { type Annotation, Annotations } from './annotations.ts';

const where = { file: 'prefect.yaml', line: 3, column: 5 };
const warning = (text: string): Annotation => ({ level: 'warning', text, where });

function given(all: readonly Annotation[]): { shown: string[]; logged: string[] } {
  const [shown, logged]: string[][] = [[], []];
  const annotations = new Annotations({
    annotate: ({ level, text }) => shown?.push(`${level} ${text}`),
    log: (line) => logged?.push(line),
  });
  for (const one of all) annotations.add(one);
  annotations.close();
  return { shown: shown ?? [], logged: logged ?? [] };
}

const many = (count: number): Annotation[] => Array.from({ length: count }, (_, index) => warning(`number ${index}`));

describe('annotations', () => {
  it('are all shown while GitHub shows all', () => {
    const { shown, logged } = given(many(9));
    expect(shown).toEqual(many(9).map(({ text }) => `warning ${text}`));
    expect(logged).toEqual([]);
  });

  it('are ten with the tenth', () => {
    expect(given(many(10)).shown).toEqual(many(10).map(({ text }) => `warning ${text}`));
  });

  it('say in the tenth how many are in the log alone', () => {
    const { shown, logged } = given(many(30));
    expect(shown).toHaveLength(10);
    expect(shown.at(-1)).toMatch(/^warning There are 21 more warnings: /);
    expect(logged).toHaveLength(21);
    expect(logged[0]).toBe('Warning: prefect.yaml:3:5: number 9');
  });

  it('of one kind take no room from the other', () => {
    const errors = many(9).map((one): Annotation => ({ ...one, level: 'error' }));
    expect(given([...many(30), ...errors]).shown).toHaveLength(19);
  });

  it.each([
    [4096, false],
    [4097, true],
    [100_000, true],
  ])('of %i characters are cut by us, not by the runner: %s', (length, cut) => {
    const { shown, logged } = given([warning('x'.repeat(length))]);
    expect(shown[0]?.length).toBe('warning '.length + Math.min(length, 4096));
    expect(shown[0]?.endsWith('(cut here; the log of this step has all of it)')).toBe(cut);
    expect(logged.map((line) => line.length)).toEqual(cut ? [length + 'Warning: prefect.yaml:3:5: '.length] : []);
  });
});
