import type { RegistryInputs } from '../inputs/registry.ts';
import { acrSources } from './acr.ts';
import { dockerHubSources } from './dockerhub.ts';
import { ecrSources } from './ecr.ts';
import { ecrPublicSources } from './ecr-public.ts';
import { ghcrSources } from './ghcr.ts';
import { googleSources } from './google.ts';
import type { CredentialSource } from './model.ts';
import type { ProviderWorld } from './provider.ts';
import type { RegistryHost } from './registry-host.ts';
import type { Repository } from './repository.ts';

/**
 * What the owner of a registry host offers to sign in with: keyless first, then what the job's surroundings have.
 * Registries of one's own have neither: there given credentials and Docker's configuration count.
 *
 * @param owner whose registry the repository's host is.
 */
export function providerSources(
  owner: RegistryHost,
  repository: Repository,
  inputs: RegistryInputs,
  world: ProviderWorld,
): CredentialSource[] {
  switch (owner.kind) {
    case 'ecr':
      return ecrSources(owner, inputs, world);
    case 'ecr-public':
      return ecrPublicSources(inputs, world);
    case 'gar':
    case 'gcr':
      return googleSources(owner, inputs, world);
    case 'acr':
      return acrSources(owner, inputs, world);
    case 'ghcr':
      return ghcrSources(inputs, world);
    case 'dockerhub':
      return dockerHubSources(repository, world);
    case 'generic':
      return [];
  }
}

/**
 * The keyless inputs that a registry of this owner has no use for: told, because a registry behind a name of one's own
 * is only known for its cloud's by the input `registry`.
 */
export function idleKeylessInputs({ kind }: Pick<RegistryHost, 'kind'>, inputs: RegistryInputs): readonly string[] {
  const users: readonly (readonly [string, string | undefined, readonly RegistryHost['kind'][]])[] = [
    ['aws-role', inputs.awsRole, ['ecr', 'ecr-public']],
    ['gcp-workload-identity-provider', inputs.gcpWorkloadIdentityProvider, ['gar', 'gcr']],
    ['azure-client-id', inputs.azureClientId, ['acr']],
  ];
  return users.flatMap(([name, value, kinds]) => (value !== undefined && !kinds.includes(kind) ? [name] : []));
}
