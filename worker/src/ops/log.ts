import { masked } from '@slipway/prefect/settings';
import { pino } from 'pino';
import type { Log } from '../world.ts';
import type { LogOutput } from './log-output.ts';

/**
 * The worker's own log: one JSON object a line, with time and level as words. Every secret of the settings is
 * replaced wherever it turns up.
 */
export function openLog(debug: boolean, secrets: readonly string[], output: Pick<LogOutput, 'write'>): Log {
  const options = {
    level: debug ? 'debug' : 'info',
    base: null,
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label: string) => ({ level: label }) },
  };
  const logger = pino(options, output);
  const safe = (text: string): string => masked(text, secrets);
  return {
    debug: (text, fields) => logger.debug(fields ?? {}, safe(text)),
    info: (text, fields) => logger.info(fields ?? {}, safe(text)),
    warning: (text, fields) => logger.warn(fields ?? {}, safe(text)),
    error: (text, fields) => logger.error(fields ?? {}, safe(text)),
  };
}
