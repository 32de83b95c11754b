import type { Log, World } from '../world.ts';

/** A world whose time passes only by sleeping, and at once; what is logged and slept is kept. */
export interface TestWorld extends World {
  readonly slept: number[];
  readonly logged: { readonly level: keyof Log; readonly text: string }[];
  /** Moves the clock on by itself. */
  pass(ms: number): void;
}

/** @param random what chance gives, always. */
export function testWorld(random = 0.5): TestWorld {
  let now = Date.UTC(2026, 10, 24, 12, 0, 0);
  const slept: number[] = [];
  const logged: TestWorld['logged'] = [];
  const logger = (level: keyof Log) => (text: string) => {
    logged.push({ level, text });
  };
  return {
    env: {},
    random: () => random,
    slept,
    logged,
    pass(ms) {
      now += ms;
    },
    log: { debug: logger('debug'), info: logger('info'), warning: logger('warning'), error: logger('error') },
    clock: {
      now: () => now,
      async sleep(ms, signal) {
        signal.throwIfAborted();
        slept.push(ms);
        now += ms;
        // Lets sockets have their turn, so that a loop under test does not starve them.
        await new Promise((resolve) => setImmediate(resolve));
        signal.throwIfAborted();
      },
    },
  };
}
