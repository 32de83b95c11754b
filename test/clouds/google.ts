import { randomUUID } from 'node:crypto';
import * as z from 'zod';
import { type BearerRegistry, startBearerRegistry } from './bearer-registry.ts';
import { bearerOf, type Cloud, type CloudAnswer, type CloudRequest, json, notFound, registryError } from './cloud.ts';
import type { GitHub } from './github.ts';
import type { Minted } from './minted.ts';

export const PROVIDER = 'projects/987654321/locations/global/workloadIdentityPools/github/providers/acme';
/** What GitHub's tokens for it must be made out to. */
export const GOOGLE_AUDIENCE = `https://iam.googleapis.com/${PROVIDER}`;
export const SERVICE_ACCOUNT = 'deploy@acme-prod.iam.gserviceaccount.com';

/** Google's token services, Artifact Registry and Container Registry of the project `acme-prod`. Fields may be set. */
export interface Google {
  readonly clouds: readonly Cloud[];
  /** `us-central1-docker.pkg.dev` and `gcr.io`. */
  readonly hosts: readonly string[];
  /** The attribute condition of the provider. */
  subject: string;
  /** Permissions by identity: the pool's own principal and the service account. */
  readonly permissions: { readonly federated: Set<string>; readonly serviceAccount: Set<string> };
  /** `projects/P/locations/L/repositories/R` */
  readonly repositories: Set<string>;
  readonly registries: readonly BearerRegistry[];
  /** An access token of the service account without a sign-in, as a machine of Google's has it. */
  issue(): string;
  /** Ends all access tokens. */
  expire(): void;
}

const PUSH = 'artifactregistry.repositories.uploadArtifacts';
const PULL = 'artifactregistry.repositories.downloadArtifacts';
const CREATE = 'artifactregistry.repositories.create';
const READ = 'artifactregistry.repositories.get';
const IMPERSONATE = 'iam.serviceAccounts.getAccessToken';
const GRANT = 'urn:ietf:params:oauth:grant-type:token-exchange';
const ACCESS_TOKEN = 'urn:ietf:params:oauth:token-type:access_token';
const JWT = 'urn:ietf:params:oauth:token-type:jwt';
const LOCATION = 'us-central1';
const SCOPE = 'https://www.googleapis.com/auth/cloud-platform';

type Identity = 'federated' | 'serviceAccount';

export function startGoogle(github: GitHub, minted: Minted): Google {
  const tokens = new Map<string, Identity>();
  const operations = new Map<string, string>();
  const registryHosts = [`${LOCATION}-docker.pkg.dev`, 'gcr.io'];
  const may = (identity: Identity | undefined, permission: string): boolean =>
    identity !== undefined && google.permissions[identity].has(permission);
  const identityOf = (request: CloudRequest): Identity | undefined => tokens.get(bearerOf(request) ?? '');

  const exchange = async (form: URLSearchParams): Promise<CloudAnswer> => {
    if (form.get('grant_type') !== GRANT || form.get('requested_token_type') !== ACCESS_TOKEN)
      return json(400, { error: 'invalid_request', error_description: 'Invalid value for "grant_type".' });
    if (form.get('audience') !== `//iam.googleapis.com/${PROVIDER}`)
      return json(400, {
        error: 'invalid_target',
        error_description: 'The target service indicated by the "audience" parameters is invalid.',
      });
    if (form.get('subject_token_type') !== JWT || form.get('scope') !== SCOPE)
      return json(400, { error: 'invalid_scope', error_description: 'Invalid scope.' });
    const claims = await github.verify(form.get('subject_token') ?? '');
    if (typeof claims === 'string')
      return json(400, {
        error: 'invalid_grant',
        error_description: `Error connecting to the given credential's issuer: ${claims}`,
      });
    if (claims.aud !== GOOGLE_AUDIENCE)
      return json(400, {
        error: 'invalid_grant',
        error_description: `The audience in ID Token [${String(claims.aud)}] does not match the expected audience ${GOOGLE_AUDIENCE}.`,
      });
    if (claims.sub !== google.subject)
      return json(401, {
        error: 'unauthorized_client',
        error_description: 'The given credential is rejected by the attribute condition.',
      });
    const token = minted.make('ya29.d.');
    tokens.set(token, 'federated');
    return json(200, { access_token: token, issued_token_type: ACCESS_TOKEN, token_type: 'Bearer', expires_in: 3599 });
  };

  const impersonate = (request: CloudRequest): CloudAnswer => {
    const path = `/v1/projects/-/serviceAccounts/${SERVICE_ACCOUNT}:generateAccessToken`;
    if (decodeURIComponent(request.url.pathname) !== path || request.method !== 'POST')
      return googleError(404, 'NOT_FOUND', 'Not found; Gaia id not found for email');
    const identity = identityOf(request);
    if (identity === undefined) return UNAUTHENTICATED;
    if (!may(identity, IMPERSONATE))
      return googleError(
        403,
        'PERMISSION_DENIED',
        `Permission '${IMPERSONATE}' denied on resource (or it may not exist).`,
      );
    const accessToken = google.issue();
    return json(200, { accessToken, expireTime: new Date(Date.now() + 3_600_000).toISOString() });
  };

  const artifactRegistry = async (request: CloudRequest): Promise<CloudAnswer> => {
    const { method, url } = request;
    const identity = identityOf(request);
    if (identity === undefined) return UNAUTHENTICATED;
    const operation = /^\/v1\/(projects\/[^/]+\/locations\/[^/]+\/operations\/[^/]+)$/.exec(url.pathname)?.[1];
    if (operation !== undefined) {
      const name = operations.get(operation);
      if (name === undefined) return googleError(404, 'NOT_FOUND', 'Requested entity was not found.');
      google.repositories.add(name);
      return json(200, { name: operation, done: true, response: { name, format: 'DOCKER' } });
    }
    const match = /^\/v1\/(projects\/([^/]+)\/locations\/([^/]+))\/repositories(?:\/([^/]+))?$/.exec(url.pathname);
    if (match === null) return notFound;
    const [, parent = '', , , named] = match;
    const name = `${parent}/repositories/${named ?? url.searchParams.get('repositoryId') ?? ''}`;
    if (method === 'GET') {
      if (!may(identity, READ)) return denied(READ, name);
      if (!google.repositories.has(name)) return googleError(404, 'NOT_FOUND', 'Requested entity was not found.');
      return json(200, { name, format: 'DOCKER' });
    }
    if (method !== 'POST' || named !== undefined) return notFound;
    if (!may(identity, CREATE)) return denied(CREATE, parent);
    const { format } = z
      .looseObject({ format: z.string().optional() })
      .parse(JSON.parse((await request.text()) || '{}'));
    if (format !== 'DOCKER') return googleError(400, 'INVALID_ARGUMENT', 'format is required');
    if (google.repositories.has(name)) return googleError(409, 'ALREADY_EXISTS', 'the repository already exists');
    const started = `${parent}/operations/${randomUUID()}`;
    operations.set(started, name);
    return json(200, { name: started, metadata: {} });
  };

  const registries = registryHosts.map((host) =>
    startBearerRegistry(
      {
        realm: `https://${host}/v2/token`,
        service: host,
        takesPost: false,
        signIn(signIn) {
          const isToken = signIn.kind === 'password' && signIn.username === 'oauth2accesstoken';
          const identity = isToken ? tokens.get(signIn.password) : undefined;
          if (identity === undefined) return registryError(401, 'UNAUTHORIZED', 'authentication failed');
          return { may: (action) => may(identity, action === 'push' ? PUSH : PULL) };
        },
        denied: (action, repository) =>
          registryError(
            403,
            'DENIED',
            `Permission "${action === 'push' ? PUSH : PULL}" denied on resource "${resourceOf(host, repository)}" (or it may not exist)`,
          ),
        missing(repository) {
          const resource = resourceOf(host, repository);
          if (google.repositories.has(resource)) return undefined;
          return registryError(404, 'NAME_UNKNOWN', `Repository "${resource.split('/').at(-1)}" not found`);
        },
      },
      minted,
    ),
  );
  const fronts = registries.map(
    (registry, index): Cloud => ({
      hosts: [registryHosts[index] ?? ''],
      reply: (request) => (request.url.pathname === '/v2/token' ? registry.token(request) : registry.registry(request)),
    }),
  );

  const google: Google = {
    hosts: registryHosts,
    subject: github.subject,
    permissions: { federated: new Set(), serviceAccount: new Set() },
    repositories: new Set(),
    registries,
    issue() {
      const token = minted.make('ya29.c.');
      tokens.set(token, 'serviceAccount');
      return token;
    },
    expire() {
      tokens.clear();
      for (const registry of registries) registry.expire();
    },
    clouds: [
      {
        hosts: ['sts.googleapis.com'],
        async reply(request) {
          if (request.url.pathname !== '/v1/token' || request.method !== 'POST') return notFound;
          return await exchange(new URLSearchParams(await request.text()));
        },
      },
      {
        hosts: ['iamcredentials.googleapis.com'],
        async reply(request) {
          await request.text();
          return impersonate(request);
        },
      },
      { hosts: ['artifactregistry.googleapis.com'], reply: artifactRegistry },
      ...fronts,
    ],
  };
  return google;
}

/** The Artifact Registry repository behind an image's path; gcr.io is one of it. */
function resourceOf(host: string, repository: string): string {
  const [project = '', name = ''] = repository.split('/');
  return host === 'gcr.io'
    ? `projects/${project}/locations/us/repositories/gcr.io`
    : `projects/${project}/locations/${LOCATION}/repositories/${name}`;
}

function denied(permission: string, resource: string): CloudAnswer {
  const message = `Permission '${permission}' denied on resource '//artifactregistry.googleapis.com/${resource}' (or it may not exist).`;
  return googleError(403, 'PERMISSION_DENIED', message);
}

function googleError(code: number, status: string, message: string): CloudAnswer {
  return json(code, { error: { code, message, status } });
}

const UNAUTHENTICATED = googleError(401, 'UNAUTHENTICATED', 'Request had invalid authentication credentials.');
