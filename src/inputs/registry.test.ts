import { describe, expect, it } from 'vitest';
import { readRegistryInputs } from './registry.ts';
import { problemsIn, readerOf } from './testing-reader.ts';

const PROVIDER = 'projects/123456789/locations/global/workloadIdentityPools/github/providers/acme';
const UUID = '01234567-89ab-cdef-0123-456789abcdef';

describe('registry inputs', () => {
  it('are all empty when nothing is written', () => {
    const reader = readerOf({});
    expect(readRegistryInputs(reader)).toEqual({
      kind: 'auto',
      credentials: undefined,
      createRepository: false,
      awsRole: undefined,
      gcpWorkloadIdentityProvider: undefined,
      gcpServiceAccount: undefined,
      azureClientId: undefined,
      azureTenantId: undefined,
      githubToken: undefined,
    });
    expect(reader.problems).toEqual([]);
  });

  it('keep a password to the last blank', () => {
    const reader = readerOf({ 'registry-username': ' ford ', 'registry-password': ' towel ' });
    expect(readRegistryInputs(reader).credentials).toEqual({ username: 'ford', password: ' towel ' });
  });

  it('take a provider also as Google’s consoles show it', () => {
    const reader = readerOf({ 'gcp-workload-identity-provider': `//iam.googleapis.com/${PROVIDER}` });
    expect(readRegistryInputs(reader).gcpWorkloadIdentityProvider).toBe(PROVIDER);
    expect(reader.problems).toEqual([]);
  });

  it.each<[string, Record<string, string>]>([
    ['a role of another partition', { 'aws-role': 'arn:aws-us-gov:iam::123456789012:role/path/to/deploy' }],
    ['a tenant by its domain', { 'azure-client-id': UUID, 'azure-tenant-id': 'acme.onmicrosoft.com' }],
    [
      'a provider with an account',
      { 'gcp-workload-identity-provider': PROVIDER, 'gcp-service-account': 'ci@acme.iam.gserviceaccount.com' },
    ],
  ])('take %s', (_what, given) => {
    const reader = readerOf(given);
    readRegistryInputs(reader);
    expect(problemsIn(reader)).toEqual([]);
  });

  it.each<[string, Record<string, string>, string]>([
    ['a registry nobody knows', { registry: 'quay' }, 'the input registry is "quay": Use one of auto, ecr,'],
    ['a user without password', { 'registry-username': 'ford' }, 'registry-password is missing or empty'],
    ['a password without user', { 'registry-password': 'x' }, 'registry-username is missing or empty'],
    ['a role by its name', { 'aws-role': 'deploy' }, 'the input aws-role is "deploy": It has the form arn:aws:iam::'],
    [
      'a provider with the project’s id',
      { 'gcp-workload-identity-provider': PROVIDER.replace(/\d+/, 'acme-prod') },
      'with the project’s number, not its id',
    ],
    ['a provider by its name', { 'gcp-workload-identity-provider': 'github' }, 'It has the form projects/'],
    ['an account alone', { 'gcp-service-account': 'a@b.iam.gserviceaccount.com' }, 'without gcp-workload-identity-p'],
    ['a client without tenant', { 'azure-client-id': UUID }, 'azure-tenant-id is missing or empty'],
    ['a tenant without client', { 'azure-tenant-id': UUID }, 'azure-client-id is missing or empty'],
  ])('refuse %s', (_what, given, expected) => {
    const reader = readerOf(given);
    readRegistryInputs(reader);
    expect(problemsIn(reader)).toEqual([expect.stringContaining(expected)]);
  });
});
