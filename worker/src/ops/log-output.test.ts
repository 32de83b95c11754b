import { Writable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { openLogOutput } from './log-output.ts';

/** A stream whose reader takes a line only when told to. */
function slowStream() {
  const written: string[] = [];
  let waiting: (() => void) | undefined;
  const stream = new Writable({
    decodeStrings: false,
    write(chunk: string, _encoding, taken) {
      waiting = () => {
        if (chunk !== '') written.push(chunk);
        taken();
      };
    },
  });
  const read = async () => {
    const take = waiting;
    waiting = undefined;
    take?.();
    await new Promise((turn) => setImmediate(turn));
    return take !== undefined;
  };
  return { stream, written, read };
}

describe('the output of the log', () => {
  it('keeps what its reader does not take at once', async () => {
    const { stream, written, read } = slowStream();
    const output = openLogOutput(stream);
    for (const line of ['a\n', 'b\n']) output.write(line);
    const flushed = output.flushed(60_000);
    while (await read());
    await flushed;
    expect(written).toEqual(['a\n', 'b\n']);
  });

  it('drops what is too much to keep, and says how much it was', async () => {
    const { stream, written, read } = slowStream();
    const output = openLogOutput(stream);
    const line = `${'x'.repeat(1023)}\n`;
    for (let index = 0; index < 2_000; index += 1) output.write(line);
    while (await read());
    output.write('after\n');
    while (await read());
    const kept = written.filter((one) => one === line).length;
    expect(kept).toBeGreaterThanOrEqual(1_024);
    expect(kept).toBeLessThan(1_030);
    expect(written.at(-1)).toBe('after\n');
    expect(JSON.parse(written.at(-2) ?? '')).toMatchObject({ msg: expect.stringContaining(`${2_000 - kept} lines`) });
  });

  it('does not wait for a reader that takes nothing longer than it may', async () => {
    const { stream, written } = slowStream();
    const output = openLogOutput(stream);
    output.write('a\n');
    await output.flushed(20);
    expect(written).toEqual([]);
  });

  it('goes quiet when its reader is gone', async () => {
    let tries = 0;
    const stream = new Writable({
      autoDestroy: false,
      write(_chunk, _encoding, taken) {
        tries += 1;
        taken(Object.assign(new Error('write EPIPE'), { code: 'EPIPE' }));
      },
    });
    const output = openLogOutput(stream);
    output.write('a\n');
    await new Promise((turn) => setImmediate(turn));
    output.write('b\n');
    await output.flushed(60_000);
    expect(tries).toBe(1);
  });
});
