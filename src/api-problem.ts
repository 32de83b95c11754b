import { PrefectAnswerError, PrefectApiError, PrefectUnreachableError } from '@slipway/prefect/client';
import { SettingsError } from '@slipway/prefect/settings';
import { TemplateError } from '@slipway/prefect/template';
import { Problem } from './problem.ts';

/** Codes of a certificate that is not trusted, as Node names them. */
const UNTRUSTED = /^(DEPTH_ZERO_SELF_SIGNED_CERT|SELF_SIGNED_CERT_IN_CHAIN|UNABLE_TO_|CERT_|ERR_TLS_)/;

/** Codes of a tunnel that a proxy did not open, and of its 407. */
const REFUSED_BY_PROXY = new Set(['UND_ERR_ABORTED', 'UND_ERR_INVALID_ARG']);

/** What a user can do about an error of the Prefect API or its settings; undefined when the error is none of these. */
export function apiProblem(error: unknown, apiUrl: string | undefined): Problem | undefined {
  if (error instanceof SettingsError) return new Problem(error.message, { remedy: error.remedy, cause: error });
  if (error instanceof TemplateError) {
    return new Problem(error.message, {
      remedy: 'Correct the reference in prefect.yaml, or create what it names.',
      cause: error,
    });
  }
  if (error instanceof PrefectUnreachableError) {
    return new Problem(error.message, { remedy: unreachableRemedy(error.code), cause: error });
  }
  if (error instanceof PrefectAnswerError) {
    return new Problem(error.message, {
      remedy: `Check PREFECT_API_URL (${apiUrl ?? 'not set'}): it ends in /api for a server of your own.`,
      cause: error,
    });
  }
  if (error instanceof PrefectApiError)
    return new Problem(error.message, { remedy: statusRemedy(error, apiUrl), cause: error });
  return undefined;
}

function unreachableRemedy(code: string | undefined): string {
  if (code === 'ECONNREFUSED')
    return 'Nothing listens there: check host and port of PREFECT_API_URL, and that the server runs.';
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN') return 'The host name is not known here: check PREFECT_API_URL.';
  if (code !== undefined && UNTRUSTED.test(code)) {
    return 'The server’s certificate is not trusted: name the file with its authority in PREFECT_API_SSL_CERT_FILE.';
  }
  if (code !== undefined && REFUSED_BY_PROXY.has(code)) {
    return 'The proxy of HTTPS_PROXY, HTTP_PROXY or ALL_PROXY refuses: check its user name and password, or add the API’s host to NO_PROXY.';
  }
  if (code === 'TIMEOUT') {
    return 'The server did not answer in time: look at its load, or give it longer with PREFECT_API_REQUEST_TIMEOUT (seconds).';
  }
  return 'Check PREFECT_API_URL, and that this runner reaches the server (firewall, VPN, proxy).';
}

function statusRemedy(error: PrefectApiError, apiUrl: string | undefined): string {
  switch (error.status) {
    case 301:
    case 302:
    case 303:
    case 307:
    case 308:
      return 'Set PREFECT_API_URL to the address that the server names, if you trust it: redirects are only followed on the same host, so that the key stays there.';
    case 401:
      return 'The key or auth string is missing or wrong: check prefect-api-key (Prefect Cloud) or prefect-auth-string (a server of your own). A secret that does not exist arrives as an empty text.';
    case 403:
      if (error.detail.includes('CSRF')) {
        return 'This server asks for CSRF tokens: take PREFECT_CLIENT_CSRF_SUPPORT_ENABLED out, which switches them off.';
      }
      return 'The key is known but may not do this: give its account the right, or use another key.';
    case 404:
    case 405:
      return `Check PREFECT_API_URL (${apiUrl ?? 'not set'}): it ends in /api for a server of your own, and names account and workspace for Prefect Cloud.`;
    case 422:
      return 'The server refuses a value; correct it in prefect.yaml.';
    default:
      return 'Look at the server’s log; run the job again when it is well, nothing has to be undone.';
  }
}
