import { pino } from 'pino';
import type { Log } from '../world.ts';

/**
 * The worker's own log: one JSON object a line on stdout, with time and level as words. Every secret of the settings is
 * replaced wherever it turns up.
 */
export function openLog(debug: boolean, secrets: readonly string[]): Log {
  const logger = pino({
    level: debug ? 'debug' : 'info',
    base: null,
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label) => ({ level: label }) },
  });
  const masked = (text: string): string => secrets.reduce((shown, secret) => shown.replaceAll(secret, '***'), text);
  return {
    debug: (text, fields) => logger.debug(fields ?? {}, masked(text)),
    info: (text, fields) => logger.info(fields ?? {}, masked(text)),
    warning: (text, fields) => logger.warn(fields ?? {}, masked(text)),
    error: (text, fields) => logger.error(fields ?? {}, masked(text)),
  };
}
