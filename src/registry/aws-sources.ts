import { Problem } from '../problem.ts';
import { type AwsIdentity, type AwsPlace, assumeRole, surroundingIdentity } from './aws.ts';
import type { CredentialSource, Credentials } from './model.ts';
import type { ProviderWorld } from './provider.ts';
import type { Repository } from './repository.ts';

/** What ECR and ECR Public do with an identity, each in its own API. */
export interface AwsRegistry {
  exchange(identity: AwsIdentity, signal: AbortSignal): Promise<Credentials>;
  ensureRepository(identity: AwsIdentity, repository: Repository, signal: AbortSignal): Promise<'created' | 'exists'>;
}

/** AWS's sources for a registry: the role of the input aws-role, when it is given, then the surroundings. */
export function awsSources(
  place: AwsPlace,
  role: string | undefined,
  world: ProviderWorld,
  registry: AwsRegistry,
): CredentialSource[] {
  const surroundings = source('AWS’s own credentials', 'surroundings', registry, (signal) =>
    surroundingIdentity(place, world, signal),
  );
  if (role === undefined) return [surroundings];
  const keyless = source(`the role ${role} (aws-role)`, 'asked', registry, (signal) =>
    assumeRole(role, place, world, signal),
  );
  return [keyless, surroundings];
}

function source(
  name: string,
  origin: CredentialSource['origin'],
  registry: AwsRegistry,
  identify: (signal: AbortSignal) => Promise<AwsIdentity | undefined>,
): CredentialSource {
  let identity: AwsIdentity | undefined;
  return {
    name,
    origin,
    async find(_host, signal) {
      identity = await identify(signal);
      return identity && (await registry.exchange(identity, signal));
    },
    async ensureRepository(repository, signal) {
      identity ??= await identify(signal);
      if (identity !== undefined) return await registry.ensureRepository(identity, repository, signal);
      throw new Problem(`create-repository cannot look for ${repository.path}: there are no credentials of AWS`, {
        remedy:
          'Give the input aws-role (with `permissions: id-token: write`): a registry password alone creates nothing.',
      });
    },
  };
}

/**
 * The password inside AWS's token, base64 of `AWS:<password>`, masked in both spellings.
 *
 * @throws Problem when AWS answered without one.
 */
export function credentialsOf(
  token: string | undefined,
  identity: AwsIdentity,
  world: Pick<ProviderWorld, 'log'>,
): Credentials {
  if (token !== undefined) world.log.mask(token);
  const text = Buffer.from(token ?? '', 'base64').toString('utf8');
  const colon = text.indexOf(':');
  if (colon > 0 && colon < text.length - 1) {
    const password = text.slice(colon + 1);
    world.log.mask(password);
    return { kind: 'basic', username: text.slice(0, colon), password, source: identity.source };
  }
  throw new Problem('AWS answered without a password for the registry', {
    remedy: 'This is AWS’s own trouble: look at its status page and run the job again.',
  });
}
