import https from 'node:https';
import { Problem } from '../problem.ts';
import { isWrongAudience, roleProblem, wordsOf } from './aws-failure.ts';
import { within } from './deadline.ts';
import { type OidcClaims, requestOidcToken } from './oidc.ts';
import { type ProviderWorld, SIGN_IN_MS } from './provider.ts';
import type { AwsPartition } from './registry-host.ts';

/**
 * Who we are to AWS. Failure model: credentials are resolved once per sign-in and handed on as plain values, so that
 * each secret in them is masked before a client has it; AWS's library retries overload and broken connections by
 * itself, and a deadline over all of it ends what it would wait for.
 */
export interface AwsIdentity {
  readonly keys: AwsKeys;
  /** For the log: "the role arn:aws:iam::123456789012:role/deploy (aws-role)". */
  readonly source: string;
}

export interface AwsKeys {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
}

/** Where AWS's clients send their requests; always from the registry's host, never from AWS_REGION. */
export interface AwsPlace {
  readonly region: string;
  readonly partition: AwsPartition;
  readonly fips: boolean;
}

/** Settings of every AWS client: FIPS hosts for FIPS registries, three tries in all, no wait without end. */
export function clientSettings({ region, fips }: Pick<AwsPlace, 'region' | 'fips'>) {
  return {
    region,
    useFipsEndpoint: fips,
    maxAttempts: 3,
    requestHandler: {
      connectionTimeout: 10_000,
      requestTimeout: 20_000,
      throwOnRequestTimeout: true,
      // An agent of its own would not know the proxies that this one was told of.
      httpsAgent: https.globalAgent,
    },
  };
}

/**
 * Whom GitHub's token is for. AWS in China has a name of its own for it, but an identity provider there may have been
 * registered with either.
 */
function audiencesOf(partition: AwsPartition): readonly [string, ...string[]] {
  return partition === 'aws-cn' ? ['sts.amazonaws.com.cn', 'sts.amazonaws.com'] : ['sts.amazonaws.com'];
}

/**
 * The role of the input aws-role, assumed with the job's OIDC token (sts:AssumeRoleWithWebIdentity).
 *
 * @throws Problem when GitHub gives no token, or AWS does not let it assume the role.
 */
export async function assumeRole(
  role: string,
  place: AwsPlace,
  world: ProviderWorld,
  signal: AbortSignal,
): Promise<AwsIdentity> {
  checkPartition(role, place);
  const [audience, ...others] = audiencesOf(place.partition);
  let last = await exchangeToken(role, audience, place, world, signal);
  for (const other of others) {
    if (!('failure' in last) || !isWrongAudience(last.failure)) break;
    last = await exchangeToken(role, other, place, world, signal);
  }
  if ('failure' in last) throw roleProblem(role, last.claims, last.failure);
  return identityOf(last.keys, `the role ${role} (aws-role)`, world);
}

type Exchanged = { readonly keys: AwsKeys } | { readonly failure: unknown; readonly claims: OidcClaims };

async function exchangeToken(
  role: string,
  audience: string,
  place: AwsPlace,
  world: ProviderWorld,
  signal: AbortSignal,
): Promise<Exchanged> {
  const { token, claims } = await requestOidcToken(audience, 'the input aws-role', world);
  try {
    const keys = await within(SIGN_IN_MS, signal, async () => {
      const { fromWebToken } = await import('@aws-sdk/credential-providers');
      return await fromWebToken({
        roleArn: role,
        webIdentityToken: token,
        roleSessionName: sessionName(world.env),
        clientConfig: clientSettings(place),
      })();
    });
    return { keys };
  } catch (failure) {
    signal.throwIfAborted();
    return { failure, claims };
  }
}

/**
 * The credentials of the surroundings, by AWS's own order: environment, profile, web identity file (EKS), container,
 * instance.
 *
 * @returns undefined when there are none.
 * @throws Problem when there are some that cannot be used.
 */
export async function surroundingIdentity(
  place: AwsPlace,
  world: ProviderWorld,
  signal: AbortSignal,
): Promise<AwsIdentity | undefined> {
  try {
    const keys = await within(SIGN_IN_MS, signal, async () => {
      const { fromNodeProviderChain } = await import('@aws-sdk/credential-providers');
      return await fromNodeProviderChain({ clientConfig: clientSettings(place) })();
    });
    // The id of a key is no secret, and the one thing that names whose credentials these are without another request.
    return identityOf(keys, `${surroundingName(world.env)}, access key ${keys.accessKeyId}`, world);
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof Error && error.name === 'CredentialsProviderError') {
      world.log.debug(`AWS: ${error.message}`);
      return undefined;
    }
    throw new Problem(`AWS’s credentials in the job’s surroundings cannot be used: ${wordsOf(error)}`, {
      remedy: 'Repair or remove them (AWS_… variables, profile, instance role), or give the input aws-role.',
      cause: error,
    });
  }
}

function identityOf(keys: AwsKeys, source: string, world: ProviderWorld): AwsIdentity {
  world.log.mask(keys.secretAccessKey);
  if (keys.sessionToken !== undefined) world.log.mask(keys.sessionToken);
  return { keys, source };
}

/** Which of AWS's places the credentials came from, as far as the environment tells. */
function surroundingName(env: Readonly<Record<string, string>>): string {
  if (env.AWS_ACCESS_KEY_ID && env.AWS_SECRET_ACCESS_KEY) return 'AWS’s environment variables';
  if (env.AWS_PROFILE) return `AWS’s profile ${env.AWS_PROFILE}`;
  if (env.AWS_WEB_IDENTITY_TOKEN_FILE) return `the role ${env.AWS_ROLE_ARN ?? ''} (AWS_WEB_IDENTITY_TOKEN_FILE)`;
  if (env.AWS_CONTAINER_CREDENTIALS_RELATIVE_URI || env.AWS_CONTAINER_CREDENTIALS_FULL_URI)
    return 'AWS’s container credentials';
  return 'AWS’s profile or instance role';
}

/** The ARN's form was checked with the inputs. */
function checkPartition(role: string, { partition, region }: AwsPlace): void {
  const own = role.split(':')[1];
  if (own !== partition) {
    throw new Problem(
      `the input aws-role is of the partition ${own}, but the registry’s region ${region} is in ${partition}`,
      {
        remedy: `Name a role whose ARN begins with arn:${partition}:.`,
      },
    );
  }
}

/** Under this name the session stands in CloudTrail; AWS takes 2 to 64 of these characters. */
function sessionName(env: Readonly<Record<string, string>>): string {
  return `slipway-${env.GITHUB_RUN_ID ?? 'run'}-${env.GITHUB_RUN_ATTEMPT ?? '1'}`
    .replace(/[^\w+=,.@-]/g, '-')
    .slice(0, 64);
}
