import { setTimeout as wait } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { openTestWorld, type TestWorld } from '../source/testing-world.ts';
import { BuildLog } from './build-log.ts';

describe('the log of builds', () => {
  let world: TestWorld;
  beforeEach(async () => {
    world = await openTestWorld();
  });
  afterEach(() => world.close());

  it('shows a build that is alone as it goes', async () => {
    const log = new BuildLog(world);
    await log.announced(() =>
      log.show('Build one', async (onLine) => {
        onLine('#1 first');
        expect(world.logged).toEqual(['group: Build one', 'info: #1 first']);
      }),
    );
  });

  it('shows builds that run together one after the other, each whole when it ends', async () => {
    const log = new BuildLog(world);
    const quick = Promise.withResolvers<void>();
    const slow = build(log, 'Build slow', ['#1 a', '#2 b'], quick.promise);
    await build(log, 'Build quick', ['#1 c', '#2 d'], wait(1));
    quick.resolve();
    await slow;
    expect(world.logged).toEqual([
      'info: Build slow …',
      'info: Build quick …',
      'group: Build quick (0 s)',
      'info: #1 c',
      'info: #2 d',
      'group: Build slow (0 s)',
      'info: #1 a',
      'info: #2 b',
    ]);
  });

  it('says now and then where each of them is', async () => {
    const log = new BuildLog(world, 10);
    const both = ['info: Build one: 0 s, at [2/4] RUN pip install', 'info: Build two: 0 s'];
    const said = vi.waitFor(() => expect(world.logged).toEqual(expect.arrayContaining(both)));
    await Promise.all([
      build(log, 'Build one', ['#5 [2/4] RUN pip install', '#5 0.1 Collecting'], said),
      build(log, 'Build two', ['#1 [internal] load'], said),
    ]);
    const count = world.logged.length;
    await wait(30);
    expect(world.logged).toHaveLength(count);
  });

  it('keeps no words for later while another build’s group has its turn', async () => {
    const [everyMs, heldMs] = [20, 400];
    const log = new BuildLog(world, everyMs);
    const end = Promise.withResolvers<void>();
    const alone = log.announced(() => log.show('Build first', () => end.promise));
    const second = build(
      log,
      'Build second',
      ['#1 a'],
      end.promise.then(() => wait(1)),
    );
    await wait(heldMs);
    end.resolve();
    await Promise.all([alone, second]);
    // One was waiting; a busy machine may leave time for a few more before the second has ended.
    const words = world.logged.filter((line) => line.includes('Build second: ')).length;
    expect(words).toBeLessThan(heldMs / everyMs / 2);
  });

  it('shows what a failed build wrote', async () => {
    const log = new BuildLog(world);
    const failing = log.announced(() =>
      log.show('Build bad', async (onLine) => {
        onLine('#1 ERROR');
        throw new Error('it failed');
      }),
    );
    const good = build(log, 'Build good', [], wait(5));
    await expect(failing).rejects.toThrow('it failed');
    await good;
    expect(world.logged).toContain('info: #1 ERROR');
  });

  it('lets no line fall into the group of another build', async () => {
    const log = new BuildLog(world);
    let said: Promise<void> | undefined;
    await log.show('Build alone', async (onLine) => {
      onLine('#1 a');
      said = log.say(['last words']);
      await wait(1);
      onLine('#2 b');
    });
    await said;
    expect(world.logged).toEqual(['group: Build alone', 'info: #1 a', 'info: #2 b', 'info: last words']);
  });
});

/** A build that writes its lines at once and ends with `until`. */
function build(log: BuildLog, title: string, lines: readonly string[], until: Promise<void>): Promise<void> {
  return log.announced(async () => {
    // What comes before a build takes a moment too; all that were asked for together are announced by then.
    await wait(1);
    await log.show(title, async (onLine) => {
      lines.forEach(onLine);
      await until;
    });
  });
}
