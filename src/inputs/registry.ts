import type { InputReader } from './reader.ts';

/** What kind of registry an image's host is; `auto` is judged by the host. */
export const REGISTRY_KINDS = [
  'auto',
  'ecr',
  'ecr-public',
  'gar',
  'gcr',
  'acr',
  'ghcr',
  'dockerhub',
  'generic',
] as const;
export type RegistryKind = (typeof REGISTRY_KINDS)[number];

/** How to sign in to the registry, as a person wrote it. */
export interface RegistryInputs {
  readonly kind: RegistryKind;
  /** Given ones win over everything else. */
  readonly credentials: { readonly username: string; readonly password: string } | undefined;
  /** Create a repository that is missing (ECR, ECR Public, Artifact Registry). */
  readonly createRepository: boolean;
  /** ARN of the role to assume with the job's OIDC token. */
  readonly awsRole: string | undefined;
  /** `projects/<number>/locations/global/workloadIdentityPools/<pool>/providers/<provider>`. */
  readonly gcpWorkloadIdentityProvider: string | undefined;
  /** E-mail address of the account to impersonate; never there without a provider. */
  readonly gcpServiceAccount: string | undefined;
  /** Both or none. */
  readonly azureClientId: string | undefined;
  readonly azureTenantId: string | undefined;
  /** The job's own token, for GitHub's registry alone. */
  readonly githubToken: string | undefined;
}

const ROLE = /^arn:aws[a-z-]*:iam::\d{12}:role\/[\w+=,.@/-]+$/;
/** With the project's number: Google's token service knows no provider under the project's id. */
const PROVIDER = /^projects\/\d+\/locations\/global\/workloadIdentityPools\/[\w-]+\/providers\/[\w-]+$/;
const ACCOUNT = /^[^@\s]+@[^@\s]+\.[^@\s]+$/;
const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;
/** A tenant may also be called by one of its domains. */
const DOMAIN = /^[a-z0-9-]+(?:\.[a-z0-9-]+)+$/i;

/** Reads the registry's inputs, with each that is misspelt or lacks its other half as a problem of the reader. */
export function readRegistryInputs(reader: InputReader): RegistryInputs {
  const inputs: RegistryInputs = {
    kind: reader.oneOf('registry', REGISTRY_KINDS, 'auto'),
    credentials: readCredentials(reader),
    createRepository: reader.flag('create-repository', false),
    awsRole: reader.optional('aws-role'),
    gcpWorkloadIdentityProvider: reader
      .optional('gcp-workload-identity-provider')
      ?.replace(/^(?:https:)?\/\/iam\.googleapis\.com\//, ''),
    gcpServiceAccount: reader.optional('gcp-service-account'),
    azureClientId: reader.optional('azure-client-id'),
    azureTenantId: reader.optional('azure-tenant-id'),
    githubToken: reader.optional('github-token'),
  };
  checkSpelling(inputs, reader);
  checkHalves(inputs, reader);
  return inputs;
}

function readCredentials(reader: InputReader): RegistryInputs['credentials'] {
  const username = reader.text('registry-username');
  const password = reader.verbatim('registry-password');
  if (username !== '' && password !== '') return { username, password };
  if (username !== '' || password !== '') {
    reader.refuse(
      `${username === '' ? 'registry-username' : 'registry-password'} is missing or empty`,
      'Give registry-username and registry-password together; a secret that does not exist arrives as an empty text.',
    );
  }
  return undefined;
}

function checkSpelling(inputs: RegistryInputs, reader: InputReader): void {
  const check = (name: string, value: string | undefined, pattern: RegExp, form: string): void => {
    if (value !== undefined && !pattern.test(value)) {
      reader.refuse(`the input ${name} is ${JSON.stringify(value)}`, `It has the form ${form}.`);
    }
  };
  check('aws-role', inputs.awsRole, ROLE, 'arn:aws:iam::123456789012:role/name');
  check(
    'gcp-workload-identity-provider',
    inputs.gcpWorkloadIdentityProvider,
    PROVIDER,
    'projects/123456789/locations/global/workloadIdentityPools/pool/providers/provider, with the project’s number, not its id',
  );
  check('gcp-service-account', inputs.gcpServiceAccount, ACCOUNT, 'name@project.iam.gserviceaccount.com');
  check('azure-client-id', inputs.azureClientId, UUID, '00000000-0000-0000-0000-000000000000');
  if (inputs.azureTenantId !== undefined && !DOMAIN.test(inputs.azureTenantId)) {
    check('azure-tenant-id', inputs.azureTenantId, UUID, '00000000-0000-0000-0000-000000000000');
  }
}

function checkHalves(inputs: RegistryInputs, reader: InputReader): void {
  if (inputs.gcpServiceAccount !== undefined && inputs.gcpWorkloadIdentityProvider === undefined) {
    reader.refuse(
      'gcp-service-account is given without gcp-workload-identity-provider',
      'Give the provider too: the job’s token is exchanged there before the account is impersonated.',
    );
  }
  if ((inputs.azureClientId === undefined) !== (inputs.azureTenantId === undefined)) {
    reader.refuse(
      `${inputs.azureClientId === undefined ? 'azure-client-id' : 'azure-tenant-id'} is missing or empty`,
      'Give azure-client-id and azure-tenant-id together.',
    );
  }
}
