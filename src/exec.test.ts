import { setTimeout as wait } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { createExec } from './exec.ts';
import { ExecNotStarted, type ExecOptions, ExecTimeout } from './world.ts';

const exec = createExec({ graceMs: 200 });

function options(more: Partial<ExecOptions> = {}): ExecOptions {
  return { cwd: '/', env: { PATH: process.env.PATH ?? '' }, signal: new AbortController().signal, ...more };
}

/** Starts a shell that prints a pid of interest first, and hands out that pid once it is printed. */
async function startTree(script: string, more: (abort: AbortController) => Partial<ExecOptions>) {
  const abort = new AbortController();
  const { promise: pid, resolve } = Promise.withResolvers<number>();
  const running = exec('/bin/sh', ['-c', script], {
    ...options({ signal: abort.signal, onOutput: (text) => resolve(Number.parseInt(text, 10)) }),
    ...more(abort),
  });
  running.catch(() => undefined);
  return { abort, running, pid: await pid };
}

async function isGone(pid: number): Promise<boolean> {
  for (let attempt = 0; attempt < 100; attempt += 1) {
    try {
      process.kill(pid, 0);
    } catch {
      return true;
    }
    await wait(20);
  }
  return false;
}

describe('running a program', () => {
  it('gives both outputs and the exit code', async () => {
    expect(await exec('/bin/sh', ['-c', 'echo out; echo err >&2; exit 3'], options())).toEqual({
      exitCode: 3,
      stdout: 'out\n',
      stderr: 'err\n',
    });
  });

  it('passes arguments as they are, without a shell', async () => {
    expect((await exec('echo', ['$HOME', '*', ';', "it's"], options())).stdout).toBe("$HOME * ; it's\n");
  });

  it('gives the child exactly the environment, the directory and the input it is told', async () => {
    const told = options({ env: { ONLY: 'this', PATH: '/usr/bin:/bin' }, cwd: '/tmp', stdin: 'in' });
    const { stdout } = await exec('/bin/sh', ['-c', 'env | grep -v ^PWD= | sort; pwd; cat'], told);
    expect(stdout).toMatch(/^(_=.*\n)?ONLY=this\nPATH=\/usr\/bin:\/bin\n(_=.*\n)?\/tmp\nin$/);
  });

  it('has nothing to read when it is given no input', async () => {
    expect((await exec('cat', [], options())).stdout).toBe('');
  });

  it('does not mind a child that does not read its input', async () => {
    expect((await exec('true', [], options({ stdin: 'x'.repeat(1_000_000) }))).exitCode).toBe(0);
  });

  it('hands output on as it comes', async () => {
    const seen: string[] = [];
    const told = options({ onOutput: (text, stream) => seen.push(`${stream} ${text}`) });
    await exec('/bin/sh', ['-c', 'echo a; sleep 0.1; echo b >&2'], told);
    expect(seen).toEqual(['stdout a\n', 'stderr b\n']);
  });

  it('keeps a character together that comes in two pieces, and replaces what is no UTF-8', async () => {
    const script = "printf '\\303'; sleep 0.1; printf '\\244 \\377 \\357\\273\\277'";
    expect((await exec('/bin/sh', ['-c', script], options())).stdout).toBe('ä \ufffd \ufeff');
  });

  it("tells another's signal by a negative exit code, as Python does", async () => {
    expect((await exec('/bin/sh', ['-c', 'kill -9 $$'], options())).exitCode).toBe(-9);
  });

  it.each([
    ['nosuchcommand', '/', 'ENOENT'],
    ['/', '/', 'EACCES'],
    ['true', '/no/such/directory', 'ENOENT'],
  ])('says why %s in %s cannot be started', async (command, cwd, code) => {
    const running = exec(command, [], options({ cwd }));
    await expect(running).rejects.toBeInstanceOf(ExecNotStarted);
    await expect(running).rejects.toMatchObject({ command, code });
  });
});

describe('ending a program', () => {
  it('does not start it when already aborted', async () => {
    await expect(exec('echo', ['x'], options({ signal: AbortSignal.abort(new Error('no')) }))).rejects.toThrow('no');
  });

  it('rejects with the reason of the abort', async () => {
    const { abort, running } = await startTree('echo $$; sleep 60', () => ({}));
    abort.abort(new Error('cancelled'));
    await expect(running).rejects.toThrow('cancelled');
  });

  it('ends its children and their children with it', async () => {
    const { abort, running, pid } = await startTree('sh -c "sleep 60 & echo \\$!; wait" | cat; true', () => ({}));
    abort.abort(new Error('cancelled'));
    await expect(running).rejects.toThrow('cancelled');
    expect(await isGone(pid)).toBe(true);
  });

  it('kills what does not heed SIGTERM', async () => {
    const script = "trap '' TERM; echo $$; while :; do sleep 0.05; done";
    const { abort, running, pid } = await startTree(script, () => ({}));
    abort.abort(new Error('cancelled'));
    await expect(running).rejects.toThrow('cancelled');
    expect(await isGone(pid)).toBe(true);
  });

  it('kills a grandchild that outlives its parent unheard', async () => {
    const script = 'sh -c "trap \'\' TERM; echo \\$\\$; exec >/dev/null 2>&1; while :; do sleep 0.05; done" & wait';
    const { abort, running, pid } = await startTree(script, () => ({}));
    abort.abort(new Error('cancelled'));
    await expect(running).rejects.toThrow('cancelled');
    expect(await isGone(pid)).toBe(true);
  });

  it('ends it at its deadline', async () => {
    const { running, pid } = await startTree('echo $$; sleep 60', () => ({ timeoutMs: 300 }));
    await expect(running).rejects.toBeInstanceOf(ExecTimeout);
    expect(await isGone(pid)).toBe(true);
  });

  it('ends it when the reader of its output fails', async () => {
    const failing = options({
      onOutput: () => {
        throw new Error('reader');
      },
    });
    await expect(exec('/bin/sh', ['-c', 'echo x; sleep 60'], failing)).rejects.toThrow('reader');
  });

  it('leaves no listener on the signal behind', async () => {
    const abort = new AbortController();
    let listeners = 0;
    const { signal } = abort;
    const add = signal.addEventListener.bind(signal);
    const remove = signal.removeEventListener.bind(signal);
    signal.addEventListener = (...args: Parameters<typeof add>) => {
      listeners += 1;
      add(...args);
    };
    signal.removeEventListener = (...args: Parameters<typeof remove>) => {
      listeners -= 1;
      remove(...args);
    };
    await exec('true', [], options({ signal }));
    expect(listeners).toBe(0);
  });
});
