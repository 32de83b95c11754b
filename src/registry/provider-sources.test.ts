import { describe, expect, it } from 'vitest';
import type { RegistryInputs } from '../inputs/registry.ts';
import { someRegistryInputs } from '../inputs/testing-registry.ts';
import { idleKeylessInputs } from './provider-sources.ts';
import type { RegistryHost } from './registry-host.ts';

const ALL: Partial<RegistryInputs> = {
  awsRole: 'arn:aws:iam::123456789012:role/deploy',
  gcpWorkloadIdentityProvider: 'projects/1/locations/global/workloadIdentityPools/p/providers/p',
  azureClientId: '00000000-0000-0000-0000-000000000001',
};

describe('keyless inputs that a registry has no use for', () => {
  it.each<[RegistryHost['kind'], readonly string[]]>([
    ['ecr', ['gcp-workload-identity-provider', 'azure-client-id']],
    ['ecr-public', ['gcp-workload-identity-provider', 'azure-client-id']],
    ['gar', ['aws-role', 'azure-client-id']],
    ['gcr', ['aws-role', 'azure-client-id']],
    ['acr', ['aws-role', 'gcp-workload-identity-provider']],
    ['ghcr', ['aws-role', 'gcp-workload-identity-provider', 'azure-client-id']],
    ['dockerhub', ['aws-role', 'gcp-workload-identity-provider', 'azure-client-id']],
    ['generic', ['aws-role', 'gcp-workload-identity-provider', 'azure-client-id']],
  ])('%s: %j', (kind, expected) => {
    expect(idleKeylessInputs({ kind }, someRegistryInputs(ALL))).toEqual(expected);
  });

  it('are none where none is given', () => {
    expect(idleKeylessInputs({ kind: 'generic' }, someRegistryInputs({}))).toEqual([]);
  });
});
