import { readFileSync } from 'node:fs';

/**
 * What stops the rig, as a person should read it: which part, why, the end of its log, and what to do.
 * The rig is not part of the product, so it does not use the action's Problem.
 */
export class RigError extends Error {
  override readonly name = 'RigError';

  constructor(message: string, remedy: string, logFile?: string) {
    const log = logFile === undefined ? '' : `\n${tail(logFile, 20)}\nLog: ${logFile}`;
    super(`${message}${log}\nWhat to do: ${remedy}`);
  }
}

/** The last lines of a log file, indented; a note when there are none. */
export function tail(file: string, lines: number): string {
  let text: string;
  try {
    text = readFileSync(file, 'utf8').trimEnd();
  } catch {
    return '  (no log was written)';
  }
  if (text === '') return '  (its log is empty)';
  return text
    .split('\n')
    .slice(-lines)
    .map((line) => `  ${line}`)
    .join('\n');
}
