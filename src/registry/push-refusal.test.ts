import { describe, expect, it } from 'vitest';
import { explainMissingRepository, explainPushRefusal, signInRemedy } from './push-refusal.ts';
import { parseRepository } from './repository.ts';

const ECR = '123456789012.dkr.ecr.eu-west-1.amazonaws.com/flows';
const PUBLIC = 'public.ecr.aws/acme/flows';
const GAR = 'europe-west3-docker.pkg.dev/acme-prod/flows/hello';
const GCR = 'gcr.io/acme-prod/hello';
const ACR = 'acme.azurecr.io/flows';
const GHCR = 'ghcr.io/acme/flows';
const HUB = 'acme/flows';
const OWN = 'registry.example:5000/team/flows';

describe('explainPushRefusal', () => {
  it.each([
    [
      ECR,
      'User: arn:aws:sts::1:assumed-role/a/b is not authorized to perform: ecr:PutImage on resource: c',
      'Allow ecr:PutImage on this repository',
    ],
    [ECR, '', 'Allow ecr:InitiateLayerUpload'],
    [PUBLIC, '', 'Allow ecr-public:InitiateLayerUpload'],
    [
      GAR,
      'Permission "artifactregistry.repositories.uploadArtifacts" denied on resource "x" (or it may not exist)',
      'artifactregistry.repositories.uploadArtifacts on the repository (roles/artifactregistry.writer has it',
    ],
    [GAR, 'denied', '`create-repository: true`'],
    [GCR, 'denied', 'roles/artifactregistry.writer'],
    [ACR, 'authentication required', 'the role AcrPush'],
    [GHCR, 'permission_denied: write_package', '`packages: write`'],
    [GHCR, 'denied', 'Manage Actions access'],
    [HUB, 'insufficient_scope', 'an access token with write permission'],
    [OWN, 'denied', 'may write to team/flows, and that it exists'],
  ])('of %s with the words "%s" says what to add', (image, said, remedy) => {
    const [message, found] = explainPushRefusal(parseRepository(image), 'the role', said);
    expect(message).toMatch(/^registry \S+ does not let \S+ be pushed with the role/);
    expect(message.endsWith(said)).toBe(true);
    expect(found).toContain(remedy);
  });

  it('tells a password that has expired from a right that is missing', () => {
    const said = 'Your authorization token has expired. Reauthenticate and try again.';
    expect(explainPushRefusal(parseRepository(ECR), undefined, said)[0]).toContain('has expired');
  });
});

describe('explainMissingRepository', () => {
  it.each([
    [ECR, true],
    [PUBLIC, true],
    [GAR, true],
    [GCR, true],
    [ACR, false],
    [OWN, false],
  ])('for %s names create-repository: %s', (image, names) => {
    const [message, remedy] = explainMissingRepository(parseRepository(image), 'not found');
    expect(message).toMatch(/^the repository \S+ does not exist on \S+: not found$/);
    expect(remedy.includes('create-repository')).toBe(names);
  });
});

describe('signInRemedy', () => {
  it.each([
    [ECR, 'aws-role'],
    [PUBLIC, 'aws-role'],
    [GAR, 'gcp-workload-identity-provider'],
    [GCR, 'gcp-workload-identity-provider'],
    [ACR, 'azure-client-id'],
    [GHCR, 'packages: write'],
    [HUB, 'registry-password'],
    [OWN, 'docker login'],
  ])('for %s names %s', (image, words) => {
    expect(signInRemedy(parseRepository(image).host)).toContain(words);
  });
});
