import { randomUUID } from 'node:crypto';
import { SignJWT } from 'jose';
import { type Action, type BearerRegistry, startBearerRegistry } from './bearer-registry.ts';
import { type Cloud, type CloudAnswer, json, notFound, registryError } from './cloud.ts';
import type { GitHub } from './github.ts';
import type { Minted } from './minted.ts';

export const TENANT = '11111111-2222-3333-4444-555555555555';
export const CLIENT = '66666666-7777-8888-9999-000000000000';

/** Entra of one tenant with one application, and the registry acme.azurecr.io. Fields may be set. */
export interface Azure {
  readonly clouds: readonly Cloud[];
  readonly host: string;
  /** Subject and audience of the application's federated credential. */
  subject: string;
  audience: string;
  /** What the application's role lets it do in the registry. */
  readonly actions: Set<Action>;
  readonly registry: BearerRegistry;
  /** A token of Entra without a sign-in, as a machine of Azure's has it. */
  issue(): Promise<string>;
  /** Ends all refresh and registry tokens. */
  expire(): void;
}

const HOST = 'acme.azurecr.io';
const ASSERTION = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer';
const NO_USER = '00000000-0000-0000-0000-000000000000';

export function startAzure(github: GitHub, minted: Minted): Azure {
  const accessTokens = new Set<string>();
  const refreshTokens = new Set<string>();
  /** Clients read the time of expiry from the tokens, so those are real JWTs. */
  const makeToken = async (lifetime: string): Promise<string> => {
    const key = new TextEncoder().encode(randomUUID());
    const jwt = new SignJWT({ jti: randomUUID() }).setProtectedHeader({ alg: 'HS256' }).setIssuedAt();
    return minted.note(await jwt.setExpirationTime(lifetime).sign(key));
  };

  const entra = async (path: string, form: URLSearchParams): Promise<CloudAnswer> => {
    if (path !== `/${TENANT}/oauth2/v2.0/token`)
      return entraError(
        400,
        90002,
        `Tenant '${path.split('/')[1]}' not found. Check to make sure you have the correct tenant ID.`,
      );
    if (form.get('client_id') !== CLIENT)
      return entraError(
        400,
        700016,
        `Application with identifier '${form.get('client_id')}' was not found in the directory 'Acme'.`,
      );
    if (form.get('grant_type') !== 'client_credentials' || form.get('client_assertion_type') !== ASSERTION)
      return entraError(400, 900144, "The request body must contain the following parameter: 'client_assertion'.");
    const claims = await github.verify(form.get('client_assertion') ?? '');
    if (typeof claims === 'string')
      return entraError(401, 700211, 'No matching federated identity record found for presented assertion issuer.');
    if (claims.aud !== azure.audience)
      return entraError(
        401,
        700212,
        `No matching federated identity record found for presented assertion audience '${String(claims.aud)}'.`,
      );
    if (claims.sub !== azure.subject)
      return entraError(
        401,
        700213,
        `No matching federated identity record found for presented assertion subject '${claims.sub}'. Check your federated identity credential Subject, Audience and Issuer against the presented assertion.`,
      );
    const scopes = ['https://containerregistry.azure.net/.default', 'https://management.azure.com/.default'];
    if (!(form.get('scope') ?? '').split(' ').some((scope) => scopes.includes(scope)))
      return entraError(400, 70011, `The provided value for scope ${form.get('scope')} is not valid.`);
    const token = await azure.issue();
    return json(200, { token_type: 'Bearer', expires_in: 3599, ext_expires_in: 3599, access_token: token });
  };

  const exchange = async (form: URLSearchParams): Promise<CloudAnswer> => {
    const isWhole = form.get('grant_type') === 'access_token' && form.get('service') === HOST;
    if (!isWhole || !accessTokens.has(form.get('access_token') ?? '') || azure.actions.size === 0) {
      const message = 'authentication required, visit https://aka.ms/acr/authorization for more information.';
      return registryError(401, 'UNAUTHORIZED', message);
    }
    const token = await makeToken('3h');
    refreshTokens.add(token);
    return json(200, { refresh_token: token });
  };

  const registry = startBearerRegistry(
    {
      realm: `https://${HOST}/oauth2/token`,
      service: HOST,
      takesPost: true,
      signIn(signIn) {
        const isNobody = signIn.kind === 'password' && signIn.username === NO_USER;
        const token = signIn.kind === 'refresh-token' ? signIn.token : isNobody ? signIn.password : '';
        if (!refreshTokens.has(token)) return registryError(401, 'UNAUTHORIZED', 'authentication required');
        return { may: (action) => azure.actions.has(action) };
      },
      denied: () => registryError(403, 'DENIED', 'requested access to the resource is denied'),
    },
    minted,
  );

  const azure: Azure = {
    host: HOST,
    subject: github.subject,
    audience: 'api://AzureADTokenExchange',
    actions: new Set(),
    registry,
    async issue() {
      const token = await makeToken('1h');
      accessTokens.add(token);
      return token;
    },
    expire() {
      refreshTokens.clear();
      registry.expire();
    },
    clouds: [
      {
        hosts: ['login.microsoftonline.com'],
        async reply(request) {
          if (request.method !== 'POST') return notFound;
          return await entra(request.url.pathname, new URLSearchParams(await request.text()));
        },
      },
      {
        hosts: [HOST],
        async reply(request) {
          if (request.url.pathname === '/oauth2/token') return await registry.token(request);
          if (request.url.pathname !== '/oauth2/exchange') return registry.registry(request);
          return await exchange(new URLSearchParams(await request.text()));
        },
      },
    ],
  };
  return azure;
}

function entraError(status: number, number: number, message: string): CloudAnswer {
  const more = `Trace ID: ${randomUUID()} Correlation ID: ${randomUUID()} Timestamp: ${new Date().toISOString()}`;
  const error = number === 90002 || number === 70011 || number === 900144 ? 'invalid_request' : 'invalid_client';
  return json(status, {
    error,
    error_description: `AADSTS${number}: ${message} ${more}`,
    error_codes: [number],
    timestamp: new Date().toISOString(),
    trace_id: randomUUID(),
    correlation_id: randomUUID(),
  });
}
