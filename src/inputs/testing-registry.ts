import type { RegistryInputs } from './registry.ts';

/** The registry's inputs of a workflow that writes only these. */
export function someRegistryInputs(written: Partial<RegistryInputs> = {}): RegistryInputs {
  return {
    kind: 'auto',
    credentials: undefined,
    createRepository: false,
    awsRole: undefined,
    gcpWorkloadIdentityProvider: undefined,
    gcpServiceAccount: undefined,
    azureClientId: undefined,
    azureTenantId: undefined,
    githubToken: undefined,
    ...written,
  };
}
