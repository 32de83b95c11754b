import type { RegistryInputs } from '../inputs/registry.ts';
import { type EntraToken, exchangeEntraToken } from './acr-exchange.ts';
import { azureProblem } from './azure-failure.ts';
import { within } from './deadline.ts';
import type { CredentialSource } from './model.ts';
import { type OidcClaims, type OidcToken, readTexts, requestOidcToken } from './oidc.ts';
import { type ProviderWorld, SIGN_IN_MS } from './provider.ts';
import type { AzureCloud, RegistryHost } from './registry-host.ts';

type AcrHost = Extract<RegistryHost, { kind: 'acr' }>;

/** Entra's host and the audience of a federated credential, per cloud (Microsoft's guide for sovereign clouds). */
const CLOUDS: Readonly<Record<AzureCloud, { readonly authorityHost: string; readonly audience: string }>> = {
  public: { authorityHost: 'https://login.microsoftonline.com', audience: 'api://AzureADTokenExchange' },
  china: { authorityHost: 'https://login.chinacloudapi.cn', audience: 'api://AzureADTokenExchangeChina' },
  usgov: { authorityHost: 'https://login.microsoftonline.us', audience: 'api://AzureADTokenExchangeUSGov' },
};
/** Taken by every registry; the other one, of the resource manager, a registry's policy may forbid. */
const SCOPE = 'https://containerregistry.azure.net/.default';

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
      return token && (await exchangeEntraToken(name, token, tenantId, { ...world, signal }));
    },
  };
  if (clientId === undefined || tenantId === undefined) return [surroundings];
  const who = `the application ${clientId} (azure-client-id)`;
  const keyless: CredentialSource = {
    name: who,
    origin: 'asked',
    async find(name, signal) {
      const token = await federatedToken({ clientId, tenantId, who }, host.cloud, world, signal);
      return await exchangeEntraToken(name, token, tenantId, { ...world, signal });
    },
  };
  return [keyless, surroundings];
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
  if (token === undefined) return undefined;
  const { appid, upn } = readTexts(token);
  const identity = appid === undefined ? upn : `application ${appid}`;
  return masked(token, identity === undefined ? who : `${who}, ${identity}`, world);
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
