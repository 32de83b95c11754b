import { parse, TomlDate, TomlError, type TomlTable, type TomlValue } from 'smol-toml';

/** A file that is not TOML; the place only, since the text around it may be a key. */
export class TomlSyntaxError extends Error {
  override readonly name = 'TomlSyntaxError';
  readonly line: number;
  readonly column: number;

  constructor(line: number, column: number) {
    super(`not valid TOML (line ${line}, column ${column})`);
    this.line = line;
    this.column = column;
  }
}

/** @throws TomlSyntaxError */
export function parseToml(text: string): TomlTable {
  try {
    return parse(text);
  } catch (error) {
    if (error instanceof TomlError) throw new TomlSyntaxError(error.line, error.column);
    throw error;
  }
}

export function isTable(value: TomlValue | undefined): value is TomlTable {
  return typeof value === 'object' && !Array.isArray(value) && !(value instanceof TomlDate);
}

/** Settings that are mappings themselves: a table under such a name is the value, not a group of settings. */
const MAPPINGS = new Set(['PREFECT_CLIENT_CUSTOM_HEADERS']);

/**
 * The settings of a nested table under the names of their environment variables: `[client] max_retries = 2` is
 * PREFECT_CLIENT_MAX_RETRIES (contracts/deploy.md §7.2).
 */
export function tableVariables(table: TomlTable, prefix = 'PREFECT'): Record<string, string> {
  return Object.fromEntries(
    Object.entries(table).flatMap(([key, value]): [string, string][] => {
      const name = `${prefix}_${key.toUpperCase()}`;
      return isTable(value) && !MAPPINGS.has(name)
        ? Object.entries(tableVariables(value, name))
        : [[name, variableText(value)]];
    }),
  );
}

/** A value as an environment variable would say it: lists with commas, tables as JSON. */
export function variableText(value: TomlValue): string {
  if (Array.isArray(value)) return value.map(variableText).join(',');
  return isTable(value) ? JSON.stringify(value) : String(value instanceof TomlDate ? value.toISOString() : value);
}
