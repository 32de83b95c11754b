import type { RegistryInputs } from '../inputs/registry.ts';
import { Problem } from '../problem.ts';
import { ensureGoogleRepository } from './artifact-registry.ts';
import { within } from './deadline.ts';
import { googleProblem } from './google-failure.ts';
import type { CredentialSource, Credentials } from './model.ts';
import { type OidcClaims, requestOidcToken } from './oidc.ts';
import { type ProviderWorld, SIGN_IN_MS } from './provider.ts';
import type { RegistryHost } from './registry-host.ts';

type GoogleHost = Extract<RegistryHost, { kind: 'gar' | 'gcr' }>;

const SCOPE = 'https://www.googleapis.com/auth/cloud-platform';

/**
 * Artifact Registry and its gcr.io names: an access token of Google is the password of the user `oauth2accesstoken`
 * (anchors/action.md §2.3). With a service account it lives an hour, without one only as long as Google's security
 * token service gives it, which may be some minutes.
 *
 * @returns keyless first, when a workload identity provider is given, then the surroundings.
 */
export function googleSources(host: GoogleHost, inputs: RegistryInputs, world: ProviderWorld): CredentialSource[] {
  const { gcpWorkloadIdentityProvider: provider, gcpServiceAccount: account } = inputs;
  const surroundings = source('Google’s own credentials', 'surroundings', host, world, (signal) =>
    surroundingToken(world, signal),
  );
  if (provider === undefined) return [surroundings];
  const who =
    account === undefined ? `${provider} (gcp-workload-identity-provider)` : `${account} (gcp-service-account)`;
  const keyless = source(who, 'asked', host, world, (signal) => federatedToken(provider, account, who, world, signal));
  return [keyless, surroundings];
}

interface AccessToken {
  readonly token: string;
  /** For the log. */
  readonly source: string;
}

function source(
  name: string,
  origin: CredentialSource['origin'],
  host: GoogleHost,
  world: ProviderWorld,
  mint: (signal: AbortSignal) => Promise<AccessToken | undefined>,
): CredentialSource {
  let minted: AccessToken | undefined;
  return {
    name,
    origin,
    async find(_host, signal): Promise<Credentials | undefined> {
      minted = await mint(signal);
      if (minted === undefined) return undefined;
      return { kind: 'basic', username: 'oauth2accesstoken', password: minted.token, source: minted.source };
    },
    async ensureRepository(repository, signal) {
      minted ??= await mint(signal);
      if (minted !== undefined) return await ensureGoogleRepository(repository, host, minted, world, signal);
      throw new Problem(`create-repository cannot look for ${repository.path}: there are no credentials of Google`, {
        remedy: 'Give the input gcp-workload-identity-provider (with `permissions: id-token: write`).',
      });
    },
  };
}

async function federatedToken(
  provider: string,
  account: string | undefined,
  who: string,
  world: ProviderWorld,
  signal: AbortSignal,
): Promise<AccessToken> {
  const audience = `https://iam.googleapis.com/${provider}`;
  const { token: subject, claims } = await requestOidcToken(
    audience,
    'the input gcp-workload-identity-provider',
    world,
  );
  const token = await asked({ who, provider, account, claims }, signal, async (abortSignal) => {
    const { IdentityPoolClient } = await import('google-auth-library');
    const client = new IdentityPoolClient({
      type: 'external_account',
      audience: `//iam.googleapis.com/${provider}`,
      subject_token_type: 'urn:ietf:params:oauth:token-type:jwt',
      token_url: 'https://sts.googleapis.com/v1/token',
      scopes: [SCOPE],
      subject_token_supplier: { getSubjectToken: () => Promise.resolve(subject) },
      transporterOptions: { signal: abortSignal },
      ...(account === undefined
        ? {}
        : {
            service_account_impersonation_url: `https://iamcredentials.googleapis.com/v1/projects/-/serviceAccounts/${encodeURIComponent(account)}:generateAccessToken`,
          }),
    });
    return (await client.getAccessToken()).token;
  });
  if (token) return masked(token, who, world);
  throw googleProblem(new Error('no token in the answer'), { who, provider, account, claims });
}

async function surroundingToken(world: ProviderWorld, signal: AbortSignal): Promise<AccessToken | undefined> {
  const who = surroundingName(world.env);
  const found = await asked({ who }, signal, async (abortSignal) => {
    const { GoogleAuth } = await import('google-auth-library');
    // Without a project's name the library runs gcloud to find one, which nobody needs here.
    const clientOptions = { transporterOptions: { signal: abortSignal } };
    const auth = new GoogleAuth({ scopes: [SCOPE], projectId: 'unused', clientOptions });
    try {
      const token = await auth.getAccessToken();
      // Only for the log: an identity without an address signs in as well.
      const email = await auth.getCredentials().then(
        ({ client_email }) => client_email,
        () => undefined,
      );
      return { token, email };
    } catch (error) {
      if (error instanceof Error && /could not load the default credentials/i.test(error.message)) return undefined;
      throw error;
    }
  });
  if (!found?.token) return undefined;
  return masked(found.token, found.email === undefined ? who : `${who}, ${found.email}`, world);
}

interface Asking {
  readonly who: string;
  readonly provider?: string;
  readonly account?: string | undefined;
  readonly claims?: OidcClaims;
}

async function asked<T>(asking: Asking, signal: AbortSignal, body: (signal: AbortSignal) => Promise<T>): Promise<T> {
  try {
    return await within(SIGN_IN_MS, signal, body);
  } catch (error) {
    signal.throwIfAborted();
    throw googleProblem(error, asking);
  }
}

function masked(token: string, who: string, world: ProviderWorld): AccessToken {
  world.log.mask(token);
  return { token, source: who };
}

function surroundingName(env: Readonly<Record<string, string>>): string {
  return env.GOOGLE_APPLICATION_CREDENTIALS
    ? 'Google’s credentials (GOOGLE_APPLICATION_CREDENTIALS)'
    : 'Google’s credentials of this machine';
}
