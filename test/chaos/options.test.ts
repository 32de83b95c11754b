import { describe, expect, it } from 'vitest';
import { readOptions } from './options.ts';

describe('the options of test:chaos', () => {
  it('are ten thousand submissions on PostgreSQL when nothing is said', () => {
    const expected = { runs: 10_000, replicas: 2, kills: 200, rate: 0.08, seed: 5, sqlite: false };
    expect(readOptions([], 5)).toEqual(expected);
  });

  it('are as they are given', () => {
    const args = '--runs 300 --replicas 5 --kills 0 --rate 0.2 --seed 9 --sqlite'.split(' ');
    expect(readOptions(args, 5)).toEqual({ runs: 300, replicas: 5, kills: 0, rate: 0.2, seed: 9, sqlite: true });
    expect(readOptions(['--help', '--runs', 'x'], 5)).toBe('help');
  });

  it.each([
    [['--runs', '0'], '--runs is a whole number from 1, and not 0'],
    [['--replicas', '1.5'], '--replicas is a whole number from 1, and not 1.5'],
    [['--kills='], '--kills is a whole number from 0, and not '],
    [['--rate', '2'], '--rate is a share of all requests, from 0 to 0.5, and not 2'],
    [['--speed', '2'], "Unknown option '--speed'"],
    [['300'], "Unexpected argument '300'"],
  ])('%j are refused', (args, words) => {
    expect(() => readOptions(args, 5)).toThrow(words);
  });
});
