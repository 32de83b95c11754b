import {
  basicOf,
  bearerOf,
  type CloudAnswer,
  type CloudRequest,
  json,
  type Reply,
  registryError,
  registryPath,
} from './cloud.ts';
import type { Minted } from './minted.ts';

/** What somebody signs in with at a token service. */
export type SignIn =
  | { readonly kind: 'password'; readonly username: string; readonly password: string }
  | { readonly kind: 'refresh-token'; readonly token: string };

export type Action = 'pull' | 'push';

/** Somebody who is signed in. */
export interface Account {
  /** Whether it may do this to a repository, now. */
  may(action: Action, repository: string): boolean;
}

export interface BearerOptions {
  readonly realm: string;
  readonly service: string;
  /** The account behind a sign-in, or the token service's refusal. */
  signIn(signIn: SignIn): Account | CloudAnswer;
  /** Whether tokens may also be asked for by POST, as OAuth 2 has it. */
  readonly takesPost: boolean;
  /** The registry's answer to what an account may not do. */
  denied(action: Action, repository: string): CloudAnswer;
  /** The registry's answer for a repository that is not there; undefined: it is, or is made by the push. */
  missing?(repository: string): CloudAnswer | undefined;
}

/** A registry that wants a token of its token service (distribution spec, "Token Authentication"). */
export interface BearerRegistry {
  /** A request to the realm. */
  token(request: CloudRequest): Promise<CloudAnswer>;
  /** A request of the registry protocol. */
  registry(request: CloudRequest): Reply;
  /** Ends all tokens that were handed out. */
  expire(): void;
}

interface Token {
  readonly account: Account;
  readonly scopes: readonly string[];
}

export function startBearerRegistry(options: BearerOptions, minted: Minted): BearerRegistry {
  const tokens = new Map<string, Token>();

  const challenge = (scope?: string, error?: string): CloudAnswer => {
    const more = [
      ...(scope === undefined ? [] : [`scope="${scope}"`]),
      ...(error === undefined ? [] : [`error="${error}"`]),
    ];
    const parts = [`realm="${options.realm}"`, `service="${options.service}"`, ...more];
    return registryError(401, 'UNAUTHORIZED', 'authentication required', {
      'www-authenticate': `Bearer ${parts.join(',')}`,
    });
  };

  return {
    async token(request) {
      const asked = await readTokenRequest(request, options.takesPost);
      if ('status' in asked) return asked;
      const signedIn = asked.signIn === undefined ? NOBODY : options.signIn(asked.signIn);
      if ('status' in signedIn) return signedIn;
      const token = minted.make('registry-token-');
      tokens.set(token, { account: signedIn, scopes: asked.scopes });
      return json(200, { token, access_token: token, expires_in: 300, issued_at: new Date().toISOString() });
    },
    registry(request) {
      const path = registryPath(request.url);
      const action: Action = request.method === 'GET' || request.method === 'HEAD' ? 'pull' : 'push';
      const scope = path && `repository:${path.repository}:${action === 'push' ? 'pull,push' : 'pull'}`;
      const given = bearerOf(request);
      if (given === undefined) return challenge(scope);
      const token = tokens.get(given);
      if (token === undefined) return challenge(scope, 'invalid_token');
      if (path === undefined) return 'registry';
      const missing = options.missing?.(path.repository);
      if (missing !== undefined) return missing;
      if (!token.account.may(action, path.repository)) return options.denied(action, path.repository);
      if (!token.scopes.some((one) => covers(one, path.repository, action)))
        return challenge(scope, 'insufficient_scope');
      return 'registry';
    },
    expire: () => tokens.clear(),
  };
}

const NOBODY: Account = { may: () => false };

/** `repository:NAME:pull,push`; ECR Public asks for `aws` and gives all. */
function covers(scope: string, repository: string, action: Action): boolean {
  if (scope === 'aws') return true;
  const [type, name, actions = ''] = scope.split(':');
  return type === 'repository' && name === repository && actions.split(',').includes(action);
}

async function readTokenRequest(
  request: CloudRequest,
  takesPost: boolean,
): Promise<{ signIn: SignIn | undefined; scopes: string[] } | CloudAnswer> {
  const scopesOf = (parameters: URLSearchParams) => parameters.getAll('scope').flatMap((scope) => scope.split(' '));
  if (request.method === 'GET') {
    const basic = basicOf(request);
    const signIn: SignIn | undefined = basic && { kind: 'password', ...basic };
    return { signIn, scopes: scopesOf(request.url.searchParams) };
  }
  if (request.method !== 'POST' || !takesPost) return { status: 405, body: 'Method Not Allowed' };
  const form = new URLSearchParams(await request.text());
  const scopes = scopesOf(form);
  switch (form.get('grant_type')) {
    case 'password': {
      const [username, password] = [form.get('username') ?? '', form.get('password') ?? ''];
      return { signIn: { kind: 'password', username, password }, scopes };
    }
    case 'refresh_token':
      return { signIn: { kind: 'refresh-token', token: form.get('refresh_token') ?? '' }, scopes };
    default:
      return json(400, { error: 'unsupported_grant_type' });
  }
}
