import { CLIENT, TENANT } from './azure.ts';
import { PROVIDER, SERVICE_ACCOUNT } from './google.ts';

/** What jobs push in tests, by registry. */
export const IMAGES = {
  ecr: '123456789012.dkr.ecr.us-east-1.amazonaws.com/acme/hello:one',
  ecrPublic: 'public.ecr.aws/acme/hello:one',
  artifactRegistry: 'us-central1-docker.pkg.dev/acme-prod/flows/hello:one',
  acr: 'acme.azurecr.io/hello:one',
  ghcr: 'ghcr.io/acme/hello:one',
  basic: 'registry.example.com/team/hello:one',
} as const;

/** Inputs that sign in to Google as the service account. */
export const GOOGLE = { 'gcp-workload-identity-provider': PROVIDER, 'gcp-service-account': SERVICE_ACCOUNT } as const;

/** Inputs that sign in to Azure. */
export const AZURE = { 'azure-client-id': CLIENT, 'azure-tenant-id': TENANT } as const;

/** The repository of an image, as its registry knows it. */
export function pathOf(image: string): string {
  return image.slice(image.indexOf('/') + 1, image.lastIndexOf(':'));
}
