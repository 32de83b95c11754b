import { describe, expect, it } from 'vitest';
import { batched } from './batched.ts';

interface Thing {
  readonly id: string;
  readonly version: number;
}

function reader(options: { readonly batch?: number; readonly kept?: number } = {}) {
  const requests: string[][] = [];
  let now = 1_000;
  let fail = false;
  const read = batched<Thing>(
    async (ids) => {
      requests.push([...ids]);
      if (fail) throw new Error('no answer');
      return ids.filter((id) => id !== 'missing').map((id) => ({ id, version: requests.length }));
    },
    { clock: { now: () => now }, batch: options.batch ?? 200, kept: options.kept ?? 200 },
  );
  return {
    requests,
    read,
    pass: () => {
      now += 1_000;
      return now;
    },
    breakDown: (broken: boolean) => {
      fail = broken;
    },
  };
}

describe('reading in batches', () => {
  it('asks for all ids of one turn in one request', async () => {
    const { read, requests } = reader();
    const found = await Promise.all([read('a', 0), read('b', 0), read('a', 0), read('missing', 0)]);
    expect(found.map((each) => each?.id)).toEqual(['a', 'b', 'a', undefined]);
    expect(requests).toEqual([['a', 'b', 'missing']]);
  });

  it('splits what is more than a page', async () => {
    const { read, requests } = reader({ batch: 2 });
    await Promise.all(['a', 'b', 'c'].map((id) => read(id, 0)));
    expect(requests).toEqual([['a', 'b'], ['c']]);
  });

  it('takes an answer that is new enough, and asks again when it is not', async () => {
    const { read, requests, pass } = reader();
    await read('a', 0);
    expect((await read('a', 1_000))?.version).toBe(1);
    expect((await read('a', pass()))?.version).toBe(2);
    expect(requests).toHaveLength(2);
  });

  it('fails for those who waited, and asks anew for the next', async () => {
    const { read, breakDown } = reader();
    breakDown(true);
    await expect(read('a', 0)).rejects.toThrow('no answer');
    breakDown(false);
    expect((await read('a', 0))?.id).toBe('a');
  });

  it('keeps no more than it may', async () => {
    const { read, requests } = reader({ kept: 1 });
    await read('a', 0);
    await read('b', 0);
    await read('a', 0);
    expect(requests).toEqual([['a'], ['b'], ['a']]);
  });
});
