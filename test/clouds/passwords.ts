import { type Action, type BearerRegistry, startBearerRegistry } from './bearer-registry.ts';
import { basicOf, type Cloud, type CloudAnswer, json, registryError } from './cloud.ts';
import type { Minted } from './minted.ts';

/** A registry with one user. Its fields may be set. */
export interface PasswordRegistry {
  readonly clouds: readonly Cloud[];
  /** As images name it. */
  readonly host: string;
  readonly username: string;
  readonly password: string;
  readonly actions: Set<Action>;
}

/** Registries that know a user and a token of hers: GitHub's, Docker's own, and others' with and without tokens. */
export interface PasswordRegistries {
  readonly ghcr: PasswordRegistry & { readonly registry: BearerRegistry };
  readonly dockerHub: PasswordRegistry;
  readonly basic: PasswordRegistry;
  readonly bearer: PasswordRegistry;
}

/** @param isHubToken tells the tokens of Docker's own identity service, which Docker Hub takes as well. */
export function startPasswordRegistries(minted: Minted, isHubToken: (token: string) => boolean): PasswordRegistries {
  const ghcr = withTokens(
    {
      host: 'ghcr.io',
      realm: 'https://ghcr.io/token',
      takesPost: false,
      username: 'ford',
      password: minted.make('ghs_'),
      // GitHub looks at the token alone.
      checksUser: false,
      refused: registryError(403, 'DENIED', 'denied'),
      denied: registryError(403, 'DENIED', 'permission_denied: write_package'),
    },
    minted,
  );
  const dockerHub = withTokens(
    {
      host: 'docker.io',
      api: 'registry-1.docker.io',
      realm: 'https://auth.docker.io/token',
      service: 'registry.docker.io',
      takesPost: true,
      username: 'acme',
      password: minted.make('dckr_pat_'),
      alsoTakes: isHubToken,
      checksUser: true,
      refused: json(401, { details: 'incorrect username or password' }),
      denied: registryError(401, 'UNAUTHORIZED', 'authentication required', {
        'www-authenticate':
          'Bearer realm="https://auth.docker.io/token",service="registry.docker.io",error="insufficient_scope"',
      }),
    },
    minted,
  );
  const bearer = withTokens(
    {
      host: 'harbor.example.com',
      realm: 'https://harbor.example.com/service/token',
      service: 'harbor-registry',
      takesPost: false,
      username: 'robot$deploy',
      password: minted.make('harbor-'),
      checksUser: true,
      refused: registryError(401, 'UNAUTHORIZED', 'unauthorized: unauthorized'),
      denied: registryError(403, 'DENIED', 'requested access to the resource is denied'),
    },
    minted,
  );
  return {
    ghcr,
    dockerHub,
    bearer,
    basic: withBasic('registry.example.com', 'bob', `${minted.make('pw')}:$x`, minted),
  };
}

interface TokenRegistryOptions {
  readonly host: string;
  readonly api?: string;
  readonly realm: string;
  readonly service?: string;
  readonly takesPost: boolean;
  readonly username: string;
  readonly password: string;
  /** Other passwords of the user. */
  readonly alsoTakes?: (password: string) => boolean;
  readonly checksUser: boolean;
  readonly refused: CloudAnswer;
  readonly denied: CloudAnswer;
}

function withTokens(options: TokenRegistryOptions, minted: Minted): PasswordRegistry & { registry: BearerRegistry } {
  const { host, username, password, realm } = options;
  const actions = new Set<Action>(['pull', 'push']);
  const registry = startBearerRegistry(
    {
      realm,
      service: options.service ?? host,
      takesPost: options.takesPost,
      signIn(signIn) {
        const isUser = signIn.kind === 'password' && (!options.checksUser || signIn.username === username);
        const isTheirs = isUser && (signIn.password === password || options.alsoTakes?.(signIn.password) === true);
        if (!isTheirs) return options.refused;
        return { may: (action) => actions.has(action) };
      },
      denied: () => options.denied,
    },
    minted,
  );
  const tokens = new URL(realm);
  const api = options.api ?? host;
  const cloud: Cloud = {
    hosts: [...new Set([api, tokens.host])],
    reply(request) {
      const isToken = request.host === tokens.host && request.url.pathname === tokens.pathname;
      return isToken ? registry.token(request) : registry.registry(request);
    },
  };
  return { clouds: [cloud], host, username, password, actions, registry };
}

function withBasic(host: string, username: string, password: string, minted: Minted): PasswordRegistry {
  minted.note(password);
  const actions = new Set<Action>(['pull', 'push']);
  const cloud: Cloud = {
    hosts: [host],
    reply(request) {
      const basic = basicOf(request);
      const challenge = { 'www-authenticate': 'Basic realm="Registry"' };
      if (basic?.username !== username || basic.password !== password)
        return registryError(401, 'UNAUTHORIZED', 'authentication required', challenge);
      const action = request.method === 'GET' || request.method === 'HEAD' ? 'pull' : 'push';
      return actions.has(action)
        ? 'registry'
        : registryError(403, 'DENIED', 'requested access to the resource is denied');
    },
  };
  return { clouds: [cloud], host, username, password, actions };
}
