/** Text functions of Python that a script's meaning hangs on (contracts/deploy.md §2.2). */

/** Everything at which Python's `str.splitlines` ends a line. */
const LINE_ENDS = '\\r\\n|[\\n\\r\\v\\f\\x1c-\\x1e\\x85\\u2028\\u2029]';
const LINE_END = new RegExp(LINE_ENDS);

/** The lines of a text as `str.splitlines()` cuts them: no empty one after the last line end. */
export function splitLines(text: string): string[] {
  const lines = text.split(LINE_END);
  if (lines.at(-1) === '') lines.pop();
  return lines;
}

/** `str.strip()`: white space in Python's sense, which includes U+001C to U+001F and U+0085 and not U+FEFF. */
export function strip(text: string): string {
  const space = '[\\t-\\r\\x1c-\\x20\\x85\\xa0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000]+';
  return text.replace(new RegExp(`^${space}`), '').replace(new RegExp(`${space}$`), '');
}

/**
 * `string.Template(text).safe_substitute(env)`: `$NAME`, `${NAME}` and `$$` for `$`; a name that is not set, and what
 * looks like none (`${NAME:-x}`), stay as written.
 */
export function fillVariables(text: string, env: Readonly<Record<string, string>>): string {
  return text.replace(
    /\$(?:(\$)|([_a-zA-Z][_a-zA-Z0-9]*)|\{([_a-zA-Z][_a-zA-Z0-9]*)\})/g,
    (written, dollar?: string, name?: string, braced?: string) => {
      if (dollar !== undefined) return '$';
      const key = name ?? braced ?? '';
      return Object.hasOwn(env, key) ? (env[key] ?? written) : written;
    },
  );
}
