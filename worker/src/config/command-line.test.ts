import { describe, expect, it } from 'vitest';
import { parseCommandLine, type StartFlags } from './command-line.ts';

const parse = (...args: string[]) => parseCommandLine(args, 'slipway-worker', '1.2.3');
const flagsOf = (...args: string[]): StartFlags => {
  const invocation = parse(...args);
  if (invocation.kind !== 'start') throw new Error(invocation.text);
  return invocation.flags;
};

describe('start', () => {
  it('has the defaults of Prefect 3.8.8', () => {
    expect(flagsOf('start')).toEqual({
      workQueue: [],
      runOnce: false,
      withHealthcheck: false,
      installPolicy: 'prompt',
      createPoolIfNotFound: true,
    });
  });

  it('takes every flag, short and long', () => {
    const long =
      'start --pool p --name n --work-queue a --work-queue b --type kubernetes --prefetch-seconds 5 --run-once --limit 3 --with-healthcheck --install-policy never --base-job-template f.json --no-create-pool-if-not-found --grace 9 --max-live-jobs 7';
    expect(flagsOf(...long.split(' '))).toEqual({
      pool: 'p',
      name: 'n',
      workQueue: ['a', 'b'],
      type: 'kubernetes',
      prefetchSeconds: '5',
      runOnce: true,
      limit: '3',
      withHealthcheck: true,
      installPolicy: 'never',
      baseJobTemplate: 'f.json',
      createPoolIfNotFound: false,
      grace: '9',
      maxLiveJobs: '7',
    });
    expect(flagsOf(...'start -p p -n n -q a -t kubernetes -l 3'.split(' '))).toMatchObject({
      pool: 'p',
      name: 'n',
      workQueue: ['a'],
      type: 'kubernetes',
      limit: '3',
    });
  });

  it('is understood as the official chart writes it', () => {
    const args = 'worker start --type kubernetes --pool my-pool --work-queue default --install-policy prompt --limit 5';
    expect(flagsOf(...args.split(' '))).toMatchObject({ pool: 'my-pool', workQueue: ['default'], limit: '5' });
  });

  it.each([
    '--no-run-once',
    '--no-with-healthcheck',
    '--prompt',
    '--no-prompt',
  ])('takes %s and does nothing', (flag) => {
    expect(flagsOf('start', '--pool', 'p', flag)).toMatchObject({
      pool: 'p',
      runOnce: false,
      withHealthcheck: false,
    });
  });
});

describe('what is no command', () => {
  it.each([
    [['start', '--bogus'], /unknown option '--bogus'/],
    [['start', '--install-policy', 'sometimes'], /Allowed choices are always, if-not-present, never, prompt/],
    [['start', '--pool'], /argument missing/],
    [['bogus'], /unknown command 'bogus'/],
    [[], /Usage: slipway-worker/],
  ])('%j exits with 2', (args, text) => {
    expect(parse(...args)).toMatchObject({ kind: 'refuse', exitCode: 2, text: expect.stringMatching(text) });
  });

  it.each([
    [['render', 'flow/deployment', '--x'], '"render" is not part of this worker yet.'],
    [['doctor'], '"doctor" is not part of this worker yet.'],
    [['work-pool', 'inspect', 'p'], '"work-pool" is not part of this worker yet.'],
  ])('%j is refused by name, with another way', (args, text) => {
    expect(parse(...args)).toMatchObject({ kind: 'refuse', exitCode: 1, text: expect.stringContaining(text) });
  });
});

describe('what is asked for is printed', () => {
  it.each([
    [['--version'], '1.2.3'],
    [['--help'], 'Usage: slipway-worker'],
    [['start', '--help'], '--max-live-jobs'],
  ])('%j', (args, text) => {
    expect(parse(...args)).toMatchObject({ kind: 'print', text: expect.stringContaining(text) });
  });
});
