import { SettingsError } from './values.ts';

/**
 * The API's address without a slash at its end (contracts/deploy.md §7.3). What Prefect only warns of is refused: with
 * such an address nothing works.
 *
 * @throws SettingsError which never repeats the address, since that may carry a password.
 */
export function readApiUrl(value: string | undefined): string {
  if (value === undefined) {
    throw new SettingsError(
      'PREFECT_API_URL',
      'no Prefect API URL is set (PREFECT_API_URL is missing or empty)',
      'Set the input prefect-api-url or the environment variable PREFECT_API_URL; a repository variable or secret of that name that does not exist arrives as an empty text.',
    );
  }
  let url: URL;
  try {
    url = new URL(value);
  } catch {
    throw badUrl('is not a URL', 'Write it whole, for example https://api.prefect.cloud/api/accounts/…/workspaces/….');
  }
  if (url.protocol !== 'https:' && url.protocol !== 'http:') {
    throw badUrl(`begins with ${url.protocol}`, 'It must begin with https:// or http://.');
  }
  if (url.username !== '' || url.password !== '') {
    throw badUrl('carries a user name or password', 'Put them into PREFECT_API_AUTH_STRING as user:password.');
  }
  if (url.hostname === 'app.prefect.cloud') {
    throw badUrl(
      'is the address of the web interface (app.prefect.cloud)',
      'Use the API URL: https://api.prefect.cloud/api/accounts/<account id>/workspaces/<workspace id>.',
    );
  }
  if (url.hostname === 'api.prefect.cloud' && !/^\/api\/accounts\/[^/]+\/workspaces\/[^/]+\/?$/.test(url.pathname)) {
    throw badUrl(
      'is a Prefect Cloud address without an account and workspace',
      'It has the form https://api.prefect.cloud/api/accounts/<account id>/workspaces/<workspace id>.',
    );
  }
  return value.trim().replace(/\/+$/, '');
}

function badUrl(what: string, remedy: string): SettingsError {
  return new SettingsError('PREFECT_API_URL', `the Prefect API URL ${what}`, remedy);
}
