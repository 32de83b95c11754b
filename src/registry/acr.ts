import { z } from 'zod';
import type { RegistryInputs } from '../inputs/registry.ts';
import { Problem } from '../problem.ts';
import { azureProblem } from './azure-failure.ts';
import { within } from './deadline.ts';
import type { CredentialSource, Credentials } from './model.ts';
import { type OidcClaims, type OidcToken, requestOidcToken } from './oidc.ts';
import { type ProviderWorld, SIGN_IN_MS } from './provider.ts';
import type { AzureCloud, RegistryHost } from './registry-host.ts';
import { jsonOf, NoAnswer, type RegistryAnswer, send } from './request.ts';

type AcrHost = Extract<RegistryHost, { kind: 'acr' }>;

/** Entra's host and the audience of a federated credential, per cloud (Microsoft's guide for sovereign clouds). */
const CLOUDS: Readonly<Record<AzureCloud, { readonly authorityHost: string; readonly audience: string }>> = {
  public: { authorityHost: 'https://login.microsoftonline.com', audience: 'api://AzureADTokenExchange' },
  china: { authorityHost: 'https://login.chinacloudapi.cn', audience: 'api://AzureADTokenExchangeChina' },
  usgov: { authorityHost: 'https://login.microsoftonline.us', audience: 'api://AzureADTokenExchangeUSGov' },
};
/** Taken by every registry; the other one, of the resource manager, a registry's policy may forbid. */
const SCOPE = 'https://containerregistry.azure.net/.default';
/** The user beside a refresh token (Azure's guide on authentication). */
const NO_USER = '00000000-0000-0000-0000-000000000000';

/**
 * Azure Container Registry: a token of Entra is exchanged at the registry itself for a refresh token, which is the
 * password and lives about three hours (anchors/action.md §2.4). Repositories come to be by the first push.
 *
 * @returns keyless first, when azure-client-id and azure-tenant-id are given, then the surroundings.
 */
export function acrSources(host: AcrHost, inputs: RegistryInputs, world: ProviderWorld): CredentialSource[] {
  const { azureClientId: clientId, azureTenantId: tenantId } = inputs;
  const surroundings: CredentialSource = {
    name: 'Azure’s own credentials',
    origin: 'surroundings',
    async find(name, signal) {
      const token = await surroundingToken(host.cloud, world, signal);
      return token && (await exchange(name, token, tenantId, world, signal));
    },
  };
  if (clientId === undefined || tenantId === undefined) return [surroundings];
  const who = `the application ${clientId} (azure-client-id)`;
  const keyless: CredentialSource = {
    name: who,
    origin: 'asked',
    async find(name, signal) {
      const token = await federatedToken({ clientId, tenantId, who }, host.cloud, world, signal);
      return await exchange(name, token, tenantId, world, signal);
    },
  };
  return [keyless, surroundings];
}

interface EntraToken {
  readonly token: string;
  /** For the log. */
  readonly source: string;
}

interface Application {
  readonly clientId: string;
  readonly tenantId: string;
  readonly who: string;
}

async function federatedToken(
  { clientId, tenantId, who }: Application,
  cloud: AzureCloud,
  world: ProviderWorld,
  signal: AbortSignal,
): Promise<EntraToken> {
  const { authorityHost, audience } = CLOUDS[cloud];
  const assertion: OidcToken = await requestOidcToken(audience, 'the input azure-client-id', world);
  const token = await asked({ who, claims: assertion.claims }, signal, async (abortSignal) => {
    const { ClientAssertionCredential } = await import('@azure/identity');
    const getAssertion = () => Promise.resolve(assertion.token);
    const credential = new ClientAssertionCredential(tenantId, clientId, getAssertion, { authorityHost });
    return (await credential.getToken(SCOPE, { abortSignal })).token;
  });
  return masked(token, who, world);
}

/** By Azure's own order: environment, workload identity (AKS), managed identity, its command line's sign-in. */
async function surroundingToken(
  cloud: AzureCloud,
  world: ProviderWorld,
  signal: AbortSignal,
): Promise<EntraToken | undefined> {
  const who = 'Azure’s own credentials';
  const token = await asked({ who }, signal, async (abortSignal) => {
    const { DefaultAzureCredential } = await import('@azure/identity');
    const credential = new DefaultAzureCredential({ authorityHost: CLOUDS[cloud].authorityHost });
    try {
      return (await credential.getToken(SCOPE, { abortSignal })).token;
    } catch (error) {
      if (!isUnavailable(error)) throw error;
      world.log.debug(`Azure: ${error.message}`);
      return undefined;
    }
  });
  return token === undefined ? undefined : masked(token, who, world);
}

/** Every credential of the chain was missing: none of them was tried and refused. */
function isUnavailable(error: unknown): error is Error {
  if (!(error instanceof Error)) return false;
  if (error.name === 'CredentialUnavailableError') return true;
  return (
    error.name === 'AggregateAuthenticationError' &&
    'errors' in error &&
    Array.isArray(error.errors) &&
    error.errors.every(isUnavailable)
  );
}

async function asked<T>(
  asking: { readonly who: string; readonly claims?: OidcClaims },
  signal: AbortSignal,
  body: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  try {
    return await within(SIGN_IN_MS, signal, body);
  } catch (error) {
    signal.throwIfAborted();
    throw azureProblem(error, asking);
  }
}

function masked(token: string, who: string, world: ProviderWorld): EntraToken {
  world.log.mask(token);
  return { token, source: who };
}

const Exchanged = z.looseObject({ refresh_token: z.string().min(1) });

/**
 * Entra's token stands in the body of this request, so a redirect, which would carry it to another host, is refused.
 */
async function exchange(
  host: string,
  { token, source }: EntraToken,
  tenant: string | undefined,
  world: ProviderWorld,
  signal: AbortSignal,
): Promise<Credentials> {
  const form = new URLSearchParams({ grant_type: 'access_token', service: host, access_token: token });
  if (tenant !== undefined) form.set('tenant', tenant);
  let answer: RegistryAnswer;
  try {
    const url = new URL(`https://${host}/oauth2/exchange`);
    answer = await send({ ...world, signal }, url, { method: 'POST', form, redirects: 'refuse' });
  } catch (error) {
    if (!(error instanceof NoAnswer)) throw error;
    if (error.code === 'redirect') {
      throw new Problem(`registry ${host} redirects its token exchange, which is not followed with a token`, {
        remedy: 'Use the registry’s own login server as the host of the image.',
        cause: error,
      });
    }
    throw new Problem(`registry ${host} could not be asked for a token: ${error.code}`, {
      remedy: 'Correct the host in the image name, and check that this runner can reach it (firewall, proxy).',
      cause: error,
    });
  }
  const password = answer.status === 200 ? Exchanged.safeParse(jsonOf(answer)).data?.refresh_token : undefined;
  if (password !== undefined) {
    world.log.mask(password);
    return { kind: 'basic', username: NO_USER, password, source };
  }
  throw exchangeProblem(host, source, answer);
}

const ErrorBody = z.looseObject({
  errors: z.array(z.looseObject({ message: z.string().optional(), code: z.string().optional() })),
});

function exchangeProblem(host: string, source: string, answer: RegistryAnswer): Problem {
  const [first] = ErrorBody.safeParse(jsonOf(answer)).data?.errors ?? [];
  const said = first?.message ?? first?.code ?? `status ${answer.status}`;
  const isFirewall = /ip .* not allowed|firewall|public network/i.test(said);
  return new Problem(`registry ${host} gives no password to ${source}: ${said}`, {
    remedy: isFirewall
      ? 'Let the registry’s network rules allow this runner, or use a runner inside its network.'
      : `Give it the role AcrPush on the registry ${host} (docs/guides/azure.md), and check azure-tenant-id.`,
  });
}
