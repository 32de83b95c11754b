import * as z from 'zod';

/** The parts of a Kubernetes `Status` object that decide what to do (Kubernetes API conventions, "Response Status Kind"). */
const Status = z.object({
  reason: z.string().optional(),
  message: z.string().optional(),
  details: z
    .object({
      retryAfterSeconds: z.number().optional(),
      causes: z
        .array(
          z.object({ reason: z.string().optional(), field: z.string().optional(), message: z.string().optional() }),
        )
        .optional(),
    })
    .optional(),
});

/** The API server answered with an error. */
export class KubernetesApiError extends Error {
  override readonly name = 'KubernetesApiError';
  readonly status: number;
  /** The machine's word for it, e.g. `AlreadyExists`, `Forbidden`, `Expired`; empty when there was none. */
  readonly reason: string;
  /** The server's own explanation. */
  readonly detail: string;
  /** From the `Retry-After` header or the Status; 0 when nothing was asked for. */
  readonly retryAfterMs: number;
  /** What was asked, e.g. `POST /apis/batch/v1/namespaces/default/jobs`. */
  readonly request: string;

  constructor(request: string, status: number, body: string, retryAfter: string | undefined) {
    const read = readStatus(body);
    super(`${request} was answered ${status} ${read.reason ?? ''}: ${read.message ?? body.slice(0, 300)}`);
    this.request = request;
    this.status = status;
    this.reason = read.reason ?? '';
    this.detail = read.message ?? body.trim().slice(0, 300);
    const seconds = Number(retryAfter ?? read.details?.retryAfterSeconds ?? 0);
    this.retryAfterMs = Number.isFinite(seconds) ? Math.max(0, seconds * 1000) : 0;
  }
}

/** No answer came. */
export class KubernetesUnreachableError extends Error {
  override readonly name = 'KubernetesUnreachableError';
  readonly code: string | undefined;
  /** False when the request certainly never reached the server: nothing can have been done. */
  readonly mayHaveArrived: boolean;

  constructor(server: string, code: string | undefined, cause: unknown) {
    super(`no answer from the Kubernetes API at ${server} (${code ?? describe(cause)})`, { cause });
    this.code = code;
    this.mayHaveArrived = !NEVER_SENT.has(code ?? '');
  }
}

const NEVER_SENT = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'ENETUNREACH',
  'EHOSTUNREACH',
  'UND_ERR_CONNECT_TIMEOUT',
]);

function readStatus(body: string): z.infer<typeof Status> {
  try {
    return Status.parse(JSON.parse(body));
  } catch {
    return {};
  }
}

function describe(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}
