import type { RegistryInputs } from '../inputs/registry.ts';
import { type AwsIdentity, clientSettings } from './aws.ts';
import { awsProblem, isDenied, isNamed } from './aws-failure.ts';
import { awsSources, credentialsOf } from './aws-sources.ts';
import { within } from './deadline.ts';
import type { CredentialSource, Credentials } from './model.ts';
import { type ProviderWorld, SIGN_IN_MS } from './provider.ts';
import type { RegistryHost } from './registry-host.ts';
import type { Repository } from './repository.ts';

type EcrHost = Extract<RegistryHost, { kind: 'ecr' }>;

/**
 * Amazon ECR: an identity of AWS is exchanged for the registry's password (ecr:GetAuthorizationToken), which is good
 * for 12 hours (anchors/action.md §2.2). Region and account come from the host.
 *
 * @returns keyless first, when the input aws-role is given, then the surroundings.
 */
export function ecrSources(host: EcrHost, inputs: RegistryInputs, world: ProviderWorld): CredentialSource[] {
  return awsSources(host, inputs.awsRole, world, {
    exchange: (identity, signal) => exchange(identity, host, world, signal),
    ensureRepository: (identity, repository, signal) => ensureRepository(identity, repository, host, signal),
  });
}

async function openClient(identity: AwsIdentity, host: EcrHost) {
  const ecr = await import('@aws-sdk/client-ecr');
  const settings = { ...clientSettings(host), useDualstackEndpoint: host.dualStack, credentials: identity.keys };
  return { ecr, client: new ecr.ECRClient(settings) };
}

async function exchange(
  identity: AwsIdentity,
  host: EcrHost,
  world: ProviderWorld,
  signal: AbortSignal,
): Promise<Credentials> {
  try {
    const answer = await within(SIGN_IN_MS, signal, async (abortSignal) => {
      const { ecr, client } = await openClient(identity, host);
      const accounts = host.account === undefined ? {} : { registryIds: [host.account] };
      return await client.send(new ecr.GetAuthorizationTokenCommand(accounts), { abortSignal });
    });
    return credentialsOf(answer.authorizationData?.[0]?.authorizationToken, identity, world);
  } catch (error) {
    signal.throwIfAborted();
    throw awsProblem('ecr', 'ECR gives no password', identity, error);
  }
}

/**
 * Looks first, so that an existing repository costs only a read; where looking is not allowed, creating is tried.
 * A repository that another job created in between is as good.
 */
async function ensureRepository(
  identity: AwsIdentity,
  repository: Repository,
  host: EcrHost,
  signal: AbortSignal,
): Promise<'created' | 'exists'> {
  const registry = host.account === undefined ? {} : { registryId: host.account };
  return await within(SIGN_IN_MS, signal, async (abortSignal) => {
    const { ecr, client } = await openClient(identity, host);
    try {
      const describe = new ecr.DescribeRepositoriesCommand({ ...registry, repositoryNames: [repository.path] });
      await client.send(describe, { abortSignal });
      return 'exists';
    } catch (error) {
      if (!isNamed(error, 'RepositoryNotFoundException') && !isDenied(error)) throw error;
    }
    try {
      const create = new ecr.CreateRepositoryCommand({
        ...registry,
        repositoryName: repository.path,
        imageScanningConfiguration: { scanOnPush: true },
      });
      await client.send(create, { abortSignal });
      return 'created';
    } catch (error) {
      if (isNamed(error, 'RepositoryAlreadyExistsException')) return 'exists';
      throw error;
    }
  }).catch((error: unknown) => {
    signal.throwIfAborted();
    throw awsProblem('ecr', `ECR does not create the repository ${repository.path}`, identity, error);
  });
}
