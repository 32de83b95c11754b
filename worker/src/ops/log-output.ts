/**
 * Where the worker's log goes: a stream, usually a pipe to whoever collects the logs of a container.
 *
 * Failure model. A reader may be slow, hang, or die; the worker must not wait for it, and has to end in time all the
 * same. A line is handed to the stream, which keeps what the pipe does not take now. When a megabyte waits, further lines
 * are dropped and counted, and the count is told as soon as there is room. After an error of the stream (EPIPE: the
 * reader is gone) nothing is written any more. `flushed` waits for what is left, within the time it is given.
 */
import type { Writable } from 'node:stream';

const MOST_WAITING_BYTES = 1024 * 1024;

export interface LogOutput {
  /** Takes one line with its line break. Never waits, never throws. */
  write(line: string): void;
  /** Resolves when everything is written, or can no longer be, or the time in milliseconds is over. */
  flushed(withinMs: number): Promise<void>;
}

/** @param stream not closed here: it is the process's own. */
export function openLogOutput(stream: Writable): LogOutput {
  let broken = false;
  let dropped = 0;
  stream.on('error', () => {
    broken = true;
  });
  return {
    write(line) {
      if (broken) return;
      if (stream.writableLength > MOST_WAITING_BYTES) {
        dropped += 1;
        return;
      }
      if (dropped > 0) {
        const time = new Date().toISOString();
        stream.write(
          `${JSON.stringify({ level: 'warn', time, msg: `${dropped} lines of the log were dropped: they were not read in time` })}\n`,
        );
        dropped = 0;
      }
      stream.write(line);
    },
    async flushed(withinMs) {
      if (broken || stream.writableLength === 0) return;
      const { promise: over, resolve: done } = Promise.withResolvers<void>();
      const timer = setTimeout(done, withinMs);
      // Called in turn: when all before it is written, or the stream is broken.
      stream.write('', () => done());
      await over;
      clearTimeout(timer);
    },
  };
}
