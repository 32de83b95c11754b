import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { describe, expect, it } from 'vitest';
import { cpuSeconds, exactCpuSeconds, memoryMegabytes } from './process-cost.ts';

/** A shell whose child computes until it is told to end, and says so first. */
const BUSY = `${process.execPath} -e "const end = Date.now() + 300; while (Date.now() < end); console.log('done'); process.stdin.resume()"; :`;

describe('what a process tree has used', () => {
  it('is what its processes have used together, by either clock', async () => {
    const shell = spawn('sh', ['-c', BUSY], { stdio: ['pipe', 'pipe', 'inherit'] });
    try {
      await once(shell.stdout, 'data');
      const pid = shell.pid ?? 0;
      const [ticks, exact] = [cpuSeconds(pid), exactCpuSeconds(pid)];
      expect(ticks).toBeGreaterThan(0);
      expect(Math.abs(ticks - exact)).toBeLessThan(0.1);
      const { now, peak } = memoryMegabytes(pid);
      expect(now).toBeGreaterThan(20);
      expect(peak).toBeGreaterThanOrEqual(now);
    } finally {
      shell.stdin.end();
      await once(shell, 'exit');
    }
  });

  it('is nothing for a process that is not there', () => {
    expect([cpuSeconds(0), exactCpuSeconds(0), memoryMegabytes(0).now]).toEqual([0, 0, 0]);
  });
});
