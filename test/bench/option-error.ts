/** An option of the command that cannot be followed. */
export class OptionError extends Error {
  override readonly name = 'OptionError';
}

/** Also for what Node's own parseArgs refuses. */
export function isOptionError(error: unknown): error is Error {
  if (error instanceof OptionError) return true;
  return error instanceof Error && 'code' in error && String(error.code).startsWith('ERR_PARSE_ARGS');
}
