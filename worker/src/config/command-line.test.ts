import { describe, expect, it } from 'vitest';
import { parseCommandLine, type StartFlags } from './command-line.ts';

const parse = (...args: string[]) => parseCommandLine(args, 'slipway-worker', '1.2.3');
const flagsOf = (...args: string[]): StartFlags => {
  const invocation = parse(...args);
  if (invocation.kind !== 'start') throw new Error(JSON.stringify(invocation));
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
    expect(parse(...args)).toMatchObject({ kind: 'refuse', text: expect.stringMatching(text) });
  });
});

describe('the commands beside it', () => {
  it.each<[string, object]>([
    ['render f/d', { kind: 'render', flags: { target: 'f/d', output: 'yaml', origins: false } }],
    [
      'render f/d -o json --origins -n w',
      { kind: 'render', flags: { target: 'f/d', output: 'json', origins: true, name: 'w' } },
    ],
    ['doctor', { kind: 'doctor', flags: { json: false } }],
    ['doctor -p p --json', { kind: 'doctor', flags: { pool: 'p', json: true } }],
    ['work-pool inspect p', { kind: 'work-pool', flags: { action: 'inspect', pool: 'p' } }],
    [
      'work-pool inspect p --output json',
      { kind: 'work-pool', flags: { action: 'inspect', pool: 'p', output: 'json' } },
    ],
    [
      'work-pool update p --base-job-template ./baseJobTemplate.json',
      { kind: 'work-pool', flags: { action: 'update', pool: 'p', baseJobTemplate: './baseJobTemplate.json' } },
    ],
    [
      'work-pool update p --concurrency-limit 0 --description d',
      { kind: 'work-pool', flags: { action: 'update', pool: 'p', concurrencyLimit: 0, description: 'd' } },
    ],
    [
      'work-pool create p -t kubernetes --paused --overwrite',
      { kind: 'work-pool', flags: { action: 'create', pool: 'p', type: 'kubernetes', paused: true, overwrite: true } },
    ],
    ['--profile team doctor', { kind: 'doctor', flags: { json: false }, profile: 'team' }],
  ])('%s', (line, invocation) => {
    expect(parse(...line.split(' '))).toEqual(invocation);
  });

  it('the profile stands before the command, the pool behind it, as with prefect', () => {
    const invocation = parse('-p', 'team', 'worker', 'start', '-p', 'pool');
    expect(invocation).toMatchObject({ kind: 'start', profile: 'team', flags: { pool: 'pool' } });
  });

  it.each([
    ['render', /missing required argument 'deployment-or-run'/],
    ['render a b', /too many arguments/],
    ['render a -o xml', /Allowed choices are yaml, json/],
    ['work-pool inspect', /missing required argument 'name'/],
    ['work-pool update p --concurrency-limit x', /It must be a whole number/],
    ['work-pool delete p', /unknown command 'delete'/],
  ])('%s is not understood', (line, text) => {
    expect(parse(...line.split(' '))).toMatchObject({ kind: 'refuse', text: expect.stringMatching(text) });
  });
});

describe('what is asked for is printed', () => {
  it.each([
    [['--version'], '1.2.3'],
    [['--help'], 'Usage: slipway-worker'],
    [['start', '--help'], '--max-live-jobs'],
    [['render', '--help'], 'Show the Job that a run gets'],
    [['doctor', '--help'], 'Exits with 1'],
    [['work-pool', 'update', '--help'], '--base-job-template'],
  ])('%j', (args, text) => {
    expect(parse(...args)).toMatchObject({ kind: 'print', text: expect.stringContaining(text) });
  });
});
