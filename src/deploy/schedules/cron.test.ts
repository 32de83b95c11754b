import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { cronProblem } from './cron.ts';

const cases = JSON.parse(readFileSync(new URL('fixtures/cron-cases.json', import.meta.url), 'utf8')) as {
  cron: string;
  accepted: boolean;
}[];

describe('a cron text', () => {
  it(`is taken exactly where Prefect’s own croniter takes it (${cases.length} texts)`, () => {
    expect(cases.length).toBeGreaterThan(800);
    const judged = cases.map(({ cron }) => ({ cron, accepted: cronProblem(cron) === undefined }));
    expect(judged).toEqual(cases);
  });

  it.each([
    ['0 24 * * *', 'has "24" for the hour: it goes from 0 to 23'],
    ['@reboot', 'has 1 column; it takes 5, or 6 with seconds at the end, and the aliases are @midnight'],
    ['* * * *', 'has 4 columns'],
    ['0 0 * * funday', 'has "funday" for the day of week: "funday" is unknown there'],
    ['H * * * *', 'has a hashed or random column'],
    ['*/0 * * * *', 'a step of 0 never moves on'],
    ['1,,2 * * * *', 'something is missing'],
    ['0 0 * * 2#6', 'the number after # goes from 1 to 5'],
    ['0 0 * * 2#3,4', 'plain days cannot stand beside numbered ones'],
  ])('%j is refused with the reason', (cron, reason) => {
    expect(cronProblem(cron)).toContain(reason);
  });
});
