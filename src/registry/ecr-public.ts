import type { RegistryInputs } from '../inputs/registry.ts';
import { Problem } from '../problem.ts';
import { type AwsIdentity, type AwsPlace, clientSettings } from './aws.ts';
import { awsProblem, isDenied, isNamed } from './aws-failure.ts';
import { awsSources, credentialsOf } from './aws-sources.ts';
import { within } from './deadline.ts';
import type { CredentialSource, Credentials } from './model.ts';
import { type ProviderWorld, SIGN_IN_MS } from './provider.ts';
import type { Repository } from './repository.ts';

/** ECR Public's API is in this one region (anchors/action.md §2.2). */
const PLACE: AwsPlace = { region: 'us-east-1', partition: 'aws', fips: false };

/** Amazon ECR Public, likewise: its password needs ecr-public:GetAuthorizationToken and sts:GetServiceBearerToken. */
export function ecrPublicSources(inputs: RegistryInputs, world: ProviderWorld): CredentialSource[] {
  return awsSources(PLACE, inputs.awsRole, world, {
    exchange: (identity, signal) => exchange(identity, world, signal),
    ensureRepository,
  });
}

async function openClient(identity: AwsIdentity) {
  const ecr = await import('@aws-sdk/client-ecr-public');
  return { ecr, client: new ecr.ECRPUBLICClient({ ...clientSettings(PLACE), credentials: identity.keys }) };
}

async function exchange(identity: AwsIdentity, world: ProviderWorld, signal: AbortSignal): Promise<Credentials> {
  try {
    const answer = await within(SIGN_IN_MS, signal, async (abortSignal) => {
      const { ecr, client } = await openClient(identity);
      return await client.send(new ecr.GetAuthorizationTokenCommand({}), { abortSignal });
    });
    return credentialsOf(answer.authorizationData?.authorizationToken, identity, world);
  } catch (error) {
    signal.throwIfAborted();
    throw awsProblem('ecr-public', 'ECR Public gives no password', identity, error);
  }
}

/** A name in ECR Public begins with the registry's alias, which its API leaves out. */
async function ensureRepository(
  identity: AwsIdentity,
  repository: Repository,
  signal: AbortSignal,
): Promise<'created' | 'exists'> {
  const [alias, ...rest] = repository.path.split('/');
  const repositoryName = rest.join('/');
  if (repositoryName === '') {
    throw new Problem(
      `the image ${repository.host}/${repository.path} names no repository below the registry’s alias`,
      {
        remedy: 'Write public.ecr.aws/<alias>/<name>; the alias stands in the registry’s settings.',
      },
    );
  }
  const uri = await within(SIGN_IN_MS, signal, async (abortSignal) => {
    const { ecr, client } = await openClient(identity);
    try {
      const describe = new ecr.DescribeRepositoriesCommand({ repositoryNames: [repositoryName] });
      await client.send(describe, { abortSignal });
      return undefined;
    } catch (error) {
      if (!isNamed(error, 'RepositoryNotFoundException') && !isDenied(error)) throw error;
    }
    try {
      const answer = await client.send(new ecr.CreateRepositoryCommand({ repositoryName }), { abortSignal });
      return answer.repository?.repositoryUri ?? '';
    } catch (error) {
      if (isNamed(error, 'RepositoryAlreadyExistsException')) return undefined;
      throw error;
    }
  }).catch((error: unknown) => {
    signal.throwIfAborted();
    throw awsProblem('ecr-public', `ECR Public does not create the repository ${repositoryName}`, identity, error);
  });
  if (uri === undefined) return 'exists';
  const created = uri.split('/')[1];
  if (created === undefined || created === alias) return 'created';
  throw new Problem(
    `the repository ${repositoryName} was created in the registry ${created}, but the image names ${alias}`,
    {
      remedy: `Write ${uri} as the image, or sign in to the account that owns ${alias}.`,
    },
  );
}
