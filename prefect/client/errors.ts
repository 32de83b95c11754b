const LONGEST_DETAIL = 2000;

/** The API answered with an error; `detail` is the server's own explanation, never the request it may echo. */
export class PrefectApiError extends Error {
  override readonly name = 'PrefectApiError';
  readonly status: number;
  readonly method: string;
  /** Path below the API URL, e.g. `/work_pools/kubernetes`. */
  readonly path: string;
  readonly detail: string;
  /** What the answer's Retry-After asks for, in milliseconds. */
  readonly retryAfterMs: number | undefined;

  constructor(status: number, method: string, path: string, detail: string, retryAfterMs?: number) {
    super(`${method} ${path} was answered ${status}${detail === '' ? '' : `: ${detail}`}`);
    this.status = status;
    this.method = method;
    this.path = path;
    this.detail = detail;
    this.retryAfterMs = retryAfterMs;
  }
}

/** No answer came: refused, reset, timed out, unknown host, bad certificate. `code` is Node's or undici's, if any. */
export class PrefectUnreachableError extends Error {
  override readonly name = 'PrefectUnreachableError';
  readonly code: string | undefined;
  readonly attempts: number;

  /** @param proxy the proxy's address without its credentials, when the way goes through one. */
  constructor(apiUrl: string, attempts: number, cause: unknown, proxy?: string) {
    const way = proxy === undefined ? '' : ` through the proxy ${proxy}`;
    const tries = attempts === 1 ? '1 try' : `${attempts} tries`;
    super(`no answer from the Prefect API at ${apiUrl}${way} (${describe(cause)}, ${tries})`, { cause });
    this.code = codeOf(cause);
    this.attempts = attempts;
  }
}

/** The API's answer does not have the form this client knows. */
export class PrefectAnswerError extends Error {
  override readonly name = 'PrefectAnswerError';
}

/** The error code of a failed connection, found along the chain of causes; TIMEOUT when our own deadline passed. */
export function codeOf(error: unknown): string | undefined {
  for (let current = error; current instanceof Error; current = current.cause) {
    if ('code' in current && typeof current.code === 'string') return current.code;
    if (current.name === 'TimeoutError') return 'TIMEOUT';
    if (current instanceof AggregateError && current.errors.length > 0) return codeOf(current.errors[0]);
  }
  return undefined;
}

function describe(cause: unknown): string {
  const tunnel =
    cause instanceof Error ? /Proxy (?:response|Authentication Required) \((\d+)\)/.exec(cause.message) : null;
  if (tunnel !== null) return `the proxy answered ${tunnel[1]}`;
  return codeOf(cause) ?? (cause instanceof Error ? cause.message : String(cause));
}

/**
 * The explanation inside an error body, in any of the API's three shapes (contracts/deploy.md §4.11). The long
 * validation shape echoes the request with its secrets: only places and messages are taken from it.
 */
export function detailOf(body: string): string {
  let json: unknown;
  try {
    json = JSON.parse(body);
  } catch {
    return body.trimStart().startsWith('<') ? 'an HTML page instead of JSON: is this the API URL?' : shortened(body);
  }
  if (typeof json !== 'object' || json === null) return shortened(String(json));
  const { detail, exception_message, exception_detail } = json as Record<string, unknown>;
  if (typeof detail === 'string') return shortened(detail);
  const list = Array.isArray(exception_detail) ? exception_detail : Array.isArray(detail) ? detail : [];
  const places = list.flatMap((item: unknown) => {
    if (typeof item !== 'object' || item === null) return [];
    const { loc, msg } = item as { loc?: unknown; msg?: unknown };
    const place = Array.isArray(loc) ? loc.filter((part) => part !== 'body').join('.') : '';
    return typeof msg === 'string' ? [place === '' ? msg : `${place}: ${msg}`] : [];
  });
  if (places.length > 0) return shortened(places.join('; '));
  return typeof exception_message === 'string' ? shortened(exception_message) : '';
}

/** A server's words, as many as a person reads. */
function shortened(text: string): string {
  return text.length <= LONGEST_DETAIL ? text : `${text.slice(0, LONGEST_DETAIL)}…`;
}
