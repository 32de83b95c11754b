import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type CacheRequest, cached, cacheRoot, entryName } from './cache.ts';

describe('the name of a cache entry', () => {
  const name = entryName('thing', ['a', 'bc']);

  it('is the part and a sha256', () => {
    expect(name).toMatch(/^thing-[0-9a-f]{64}$/);
    expect(entryName('thing', ['a', 'bc'])).toBe(name);
  });

  it.each([
    ['another ingredient', ['a', 'bd']],
    ['another order', ['bc', 'a']],
    ['the same text split elsewhere', ['ab', 'c']],
    ['one more ingredient, empty', ['a', 'bc', '']],
  ])('differs for %s', (_case, ingredients) => {
    expect(entryName('thing', ingredients)).not.toBe(name);
  });
});

describe('the cache', () => {
  const before = process.env.XDG_CACHE_HOME;
  const signal = new AbortController().signal;
  const request = (build: CacheRequest['build']): CacheRequest => ({
    part: 'thing',
    ingredients: ['1'],
    title: 'making',
    build,
  });
  let home: string;

  beforeEach(() => {
    home = mkdtempSync(join(tmpdir(), 'slipway-cache-'));
    process.env.XDG_CACHE_HOME = home;
  });
  afterEach(() => {
    if (before === undefined) delete process.env.XDG_CACHE_HOME;
    else process.env.XDG_CACHE_HOME = before;
    rmSync(home, { recursive: true });
  });

  it('builds an entry once, also when two ask at the same time', async () => {
    let builds = 0;
    const build = async (folder: string): Promise<void> => {
      builds++;
      writeFileSync(join(folder, 'file'), 'content');
    };
    const [one, two] = await Promise.all([
      cached(request(build), () => undefined, signal),
      cached(request(build), () => undefined, signal),
    ]);
    expect(one).toBe(two);
    expect(readFileSync(join(one, 'file'), 'utf8')).toBe('content');
    expect(builds).toBe(1);
  });

  it('leaves no entry behind when the build fails', async () => {
    const failing = request(async (folder) => {
      writeFileSync(join(folder, 'half'), '');
      throw new Error('the compiler said no');
    });
    await expect(cached(failing, () => undefined, signal)).rejects.toThrow('the compiler said no');
    expect(readdirSync(cacheRoot()).filter((name) => name.includes('thing'))).toEqual([]);
  });

  it('removes what an interrupted build left, and builds anew', async () => {
    const left = join(cacheRoot(), '.building-thing-99');
    mkdirSync(left, { recursive: true });
    const entry = await cached(
      request(async () => undefined),
      () => undefined,
      signal,
    );
    expect(existsSync(left)).toBe(false);
    expect(readdirSync(entry)).toEqual([]);
  });
});
