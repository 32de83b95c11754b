/** Where one line of progress goes; the rig never writes to the terminal by itself. */
export type Log = (line: string) => void;

/** How long, as a person says it: `4.1s`, `29s`, `2m10s`. */
export function duration(ms: number): string {
  const seconds = ms / 1000;
  if (seconds < 10) return `${seconds.toFixed(1)}s`;
  const whole = Math.round(seconds);
  return whole < 60 ? `${whole}s` : `${Math.floor(whole / 60)}m${String(whole % 60).padStart(2, '0')}s`;
}

/**
 * Does something long, saying so: a line when it begins, one every 15 s with the time so far, one when it is done.
 *
 * @param title what is being done, for example `building buildx 0.38.2 (first time only, about 2 min)`.
 * @returns what `work` returns; its error passes through.
 */
export async function withProgress<T>(log: Log, title: string, work: () => Promise<T>): Promise<T> {
  const begun = Date.now();
  log(`${title} …`);
  const heartbeat = setInterval(() => log(`${title} … ${duration(Date.now() - begun)}`), 15_000);
  try {
    const result = await work();
    log(`${title}: done in ${duration(Date.now() - begun)}`);
    return result;
  } finally {
    clearInterval(heartbeat);
  }
}
