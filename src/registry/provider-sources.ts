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
