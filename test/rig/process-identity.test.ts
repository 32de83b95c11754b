import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readlinkSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { identify, isRunning, pidsInNamespace, signalProcess, startTimeIn } from './process-identity.ts';

const REST = '1 1 1 0 -1 4194560 100 0 0 0 1 2 0 0 20 0 1 0 424242 1000 10 18446744073709551615';

describe('the start time of a process', () => {
  it.each([
    ['an ordinary name', `77 (sleep) S ${REST}`, '424242'],
    ['a name with spaces and brackets', `77 (a) (b c) R ${REST}`, '424242'],
    ['a zombie has ended', `77 (sleep) Z ${REST}`, undefined],
    ['a dead process has ended', `77 (sleep) X ${REST}`, undefined],
    ['an empty text is no process', '', undefined],
  ])('%s', (_case, stat, expected) => {
    expect(startTimeIn(stat)).toBe(expected);
  });
});

describe('a process and its identity', () => {
  it('runs while it runs, and not after it ended', async () => {
    const child = spawn('sleep', ['60']);
    const identity = identify(child.pid ?? 0);
    if (identity === undefined) throw new Error('sleep did not start');
    expect(isRunning(identity)).toBe(true);
    expect(signalProcess(identity, 'SIGKILL')).toBe(true);
    await once(child, 'exit');
    expect(isRunning(identity)).toBe(false);
    expect(signalProcess(identity, 'SIGKILL')).toBe(false);
  });

  it('gets no signal when another process has its pid: the start times differ', async () => {
    const child = spawn('sleep', ['60']);
    const now = identify(child.pid ?? 0);
    if (now === undefined) throw new Error('sleep did not start');
    const before = { pid: now.pid, startTime: String(Number(now.startTime) - 1) };
    expect(signalProcess(before, 'SIGKILL')).toBe(false);
    expect(isRunning(now)).toBe(true);
    child.kill('SIGKILL');
    await once(child, 'exit');
  });

  it('is found in its own pid namespace', () => {
    expect(pidsInNamespace(readlinkSync('/proc/self/ns/pid')).get(process.pid)).toBe(process.pid);
    expect(pidsInNamespace('pid:[1]').size).toBe(0);
  });
});
