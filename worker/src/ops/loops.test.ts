import { describe, expect, it } from 'vitest';
import { Loops } from './loops.ts';

describe('a loop beside the work', () => {
  it('that ends although it should not is told', async () => {
    const loops = new Loops(new AbortController().signal);
    loops.add('observer', Promise.resolve());
    await expect(loops.failed).rejects.toThrow('the loop "observer" has ended, which it never should');
  });

  it('that fails is told, with its cause', async () => {
    const loops = new Loops(new AbortController().signal);
    const cause = new TypeError('a defect');
    loops.add('observer', Promise.reject(cause));
    await expect(loops.failed).rejects.toMatchObject({ message: 'the loop "observer" has failed', cause });
  });

  it('may end, well or badly, once everything ends', async () => {
    const ending = new AbortController();
    const loops = new Loops(ending.signal);
    ending.abort();
    loops.add('observer', Promise.resolve());
    loops.add('pool', Promise.reject(new Error('aborted')));
    await loops.ended();
    const quiet = Symbol('nothing failed');
    expect(await Promise.race([loops.failed, Promise.resolve(quiet)])).toBe(quiet);
  });
});
