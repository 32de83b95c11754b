/** What a git_clone step may give to sign in with: a block's data, or a mapping written in place. */
export interface GitCredentials {
  readonly username?: string | null | undefined;
  readonly password?: string | null | undefined;
  readonly token?: string | null | undefined;
  readonly access_token?: string | null | undefined;
}

/** A repository's address without anything secret in it, and how git signs in there. */
export interface GitLogin {
  readonly url: string;
  /** Settings for git's environment; none when there is nothing to sign in with. */
  readonly settings: readonly (readonly [string, string])[];
  /** What must not be shown. */
  readonly secrets: readonly string[];
}

/** Credentials that cannot be used, and why, as the end of "the step … ". */
export class UnusableCredentials extends Error {
  override readonly name = 'UnusableCredentials';
}

/**
 * How git signs in to a repository (contracts/deploy.md §2.4; prefect/runner/storage.py `_format_token_from_credentials`).
 * Prefect writes user and token into the address; here git sends the same two in a header that is set for this host alone
 * by git's environment, so that they stand in no argument and in no `.git/config` that an image may take along. Like
 * Prefect's they are used for https only; those that the address itself has, for http too.
 *
 * @throws UnusableCredentials when there is no token or password, or the host needs a user name beside it.
 */
export function gitLogin(repository: string, credentials: GitCredentials | undefined): GitLogin {
  const given = credentials === undefined ? undefined : pairOf(hostOf(repository), credentials);
  if (!/^https?:\/\//.test(repository) || !URL.canParse(repository))
    return { url: repository, settings: [], secrets: [] };
  const { protocol, origin, username, password } = new URL(repository);
  const written = username === '' ? undefined : ([decodeURIComponent(username), decodeURIComponent(password)] as const);
  const pair = protocol === 'https:' && given !== undefined ? given : written;
  const url = repository.replace(/^(https?:\/\/)[^/?#]*@/, '$1');
  if (pair === undefined) return { url, settings: [], secrets: [] };
  const basic = Buffer.from(pair.join(':')).toString('base64');
  const key = `http.${origin}/.extraHeader`;
  return {
    url,
    // Headers add up, and two of these are refused by servers: an empty one takes away those that are set elsewhere.
    settings: [
      [key, ''],
      [key, `Authorization: Basic ${basic}`],
    ],
    secrets: [pair[1] === '' ? pair[0] : pair[1], basic],
  };
}

function hostOf(repository: string): string {
  return /^[a-z+]+:\/\/([^/?#]*)/i.exec(repository)?.[1] ?? '';
}

/** User and password as the host wants them; a lone token is sent as the user, without a password. */
function pairOf(host: string, credentials: GitCredentials): readonly [string, string] {
  const { username, password, token, access_token } = credentials;
  const secret = access_token || token || password;
  if (!secret) throw new UnusableCredentials('has credentials without a token or a password');
  if (username) return [username, secret];
  const colon = secret.indexOf(':');
  const pair = [secret.slice(0, colon), secret.slice(colon + 1)] as const;
  if (host.includes('bitbucketserver')) {
    if (colon === -1) throw new UnusableCredentials('has credentials without a username, which Bitbucket Server needs');
    return pair;
  }
  if (host.includes('bitbucket')) return colon === -1 ? ['x-token-auth', secret] : pair;
  if (host.includes('gitlab')) return colon === -1 ? ['oauth2', secret] : pair;
  return [secret, ''];
}
