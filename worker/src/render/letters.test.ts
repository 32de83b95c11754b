import { beforeAll, describe, expect, it, vi } from 'vitest';
import { LettersNotLoaded, latin, withLetters } from './letters.ts';
import { slugName } from './slug.ts';

describe('letters of other scripts', () => {
  // Other tests of the same process may have loaded them.
  beforeAll(() => vi.resetModules());

  it('are not loaded for names that do without', async () => {
    const fresh = await import('./slug.ts');
    expect(fresh.slugName('Überflüssig café-crème')).toBe('uberflussig-cafe-creme');
    expect(() => fresh.slugName('日本')).toThrow('loadLetters() comes first');
  });

  it('are loaded when a name needs them, and the name is made again', async () => {
    const made: string[] = [];
    const make = () => {
      made.push('begun');
      return slugName('日本');
    };
    expect(await withLetters(make)).toBe('ri-ben');
    expect(await withLetters(make)).toBe('ri-ben');
    expect(made).toHaveLength(3);
    expect(latin('я')).not.toBe('');
  });

  it('do not hide another error', async () => {
    const make = () => {
      throw new RangeError('other');
    };
    await expect(withLetters(make)).rejects.toThrow(RangeError);
    expect(new LettersNotLoaded('x').name).toBe('LettersNotLoaded');
  });
});
