import type { RegistryInputs } from '../inputs/registry.ts';
import { acrSources } from './acr.ts';
import { ecrSources } from './ecr.ts';
import { ecrPublicSources } from './ecr-public.ts';
import { ghcrSources } from './ghcr.ts';
import { googleSources } from './google.ts';
import type { CredentialSource } from './model.ts';
import type { ProviderWorld } from './provider.ts';
import type { RegistryHost } from './registry-host.ts';

/**
 * What the owner of a registry host offers to sign in with: keyless first, then what the job's surroundings have.
 * Docker Hub and registries of one's own have neither: there given credentials and Docker's configuration count.
 */
export function providerSources(host: RegistryHost, inputs: RegistryInputs, world: ProviderWorld): CredentialSource[] {
  switch (host.kind) {
    case 'ecr':
      return ecrSources(host, inputs, world);
    case 'ecr-public':
      return ecrPublicSources(inputs, world);
    case 'gar':
    case 'gcr':
      return googleSources(host, inputs, world);
    case 'acr':
      return acrSources(host, inputs, world);
    case 'ghcr':
      return ghcrSources(inputs, world);
    case 'dockerhub':
    case 'generic':
      return [];
  }
}
