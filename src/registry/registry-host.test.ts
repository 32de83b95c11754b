import { describe, expect, it } from 'vitest';
import { decideRegistryHost, partitionOf, type RegistryHost, readRegistryHost } from './registry-host.ts';
import { registryHost } from './repository.ts';

const ACCOUNT = '123456789012';

function ecr(
  partition: string,
  region: string,
  more: Partial<Extract<RegistryHost, { kind: 'ecr' }>> = {},
): Record<string, unknown> {
  return { kind: 'ecr', partition, region, account: ACCOUNT, fips: false, dualStack: false, ...more };
}

describe('readRegistryHost', () => {
  it.each([
    [`${ACCOUNT}.dkr.ecr.us-east-1.amazonaws.com`, ecr('aws', 'us-east-1')],
    [`${ACCOUNT}.dkr.ecr.ap-southeast-4.amazonaws.com`, ecr('aws', 'ap-southeast-4')],
    [`${ACCOUNT}.dkr.ecr.mx-central-1.amazonaws.com`, ecr('aws', 'mx-central-1')],
    [`${ACCOUNT}.dkr.ecr.cn-north-1.amazonaws.com.cn`, ecr('aws-cn', 'cn-north-1')],
    [`${ACCOUNT}.dkr.ecr.us-gov-west-1.amazonaws.com`, ecr('aws-us-gov', 'us-gov-west-1')],
    [`${ACCOUNT}.dkr.ecr.eusc-de-east-1.amazonaws.eu`, ecr('aws-eusc', 'eusc-de-east-1')],
    [`${ACCOUNT}.dkr.ecr.us-iso-east-1.c2s.ic.gov`, ecr('aws-iso', 'us-iso-east-1')],
    [`${ACCOUNT}.dkr.ecr.us-isob-east-1.sc2s.sgov.gov`, ecr('aws-iso-b', 'us-isob-east-1')],
    [`${ACCOUNT}.dkr.ecr.eu-isoe-west-1.cloud.adc-e.uk`, ecr('aws-iso-e', 'eu-isoe-west-1')],
    [`${ACCOUNT}.dkr.ecr.us-isof-south-1.csp.hci.ic.gov`, ecr('aws-iso-f', 'us-isof-south-1')],
    [`${ACCOUNT}.dkr.ecr-fips.us-east-2.amazonaws.com`, ecr('aws', 'us-east-2', { fips: true })],
    [`${ACCOUNT}.dkr.ecr-fips.us-gov-east-1.amazonaws.com`, ecr('aws-us-gov', 'us-gov-east-1', { fips: true })],
    [`${ACCOUNT}.dkr-ecr.eu-west-1.on.aws`, ecr('aws', 'eu-west-1', { dualStack: true })],
    [
      `${ACCOUNT}.dkr-ecr-fips.us-gov-west-1.on.aws`,
      ecr('aws-us-gov', 'us-gov-west-1', { fips: true, dualStack: true }),
    ],
    [
      `${ACCOUNT}.dkr-ecr.cn-northwest-1.on.amazonwebservices.com.cn`,
      ecr('aws-cn', 'cn-northwest-1', { dualStack: true }),
    ],
    [
      `${ACCOUNT}.dkr-ecr.eusc-de-east-1.on.amazonwebservices.eu`,
      ecr('aws-eusc', 'eusc-de-east-1', { dualStack: true }),
    ],
    ['public.ecr.aws', { kind: 'ecr-public' }],
    ['ecr-public.aws.com', { kind: 'ecr-public' }],
    ['europe-west3-docker.pkg.dev', { kind: 'gar', location: 'europe-west3' }],
    ['northamerica-northeast1-docker.pkg.dev', { kind: 'gar', location: 'northamerica-northeast1' }],
    ['us-docker.pkg.dev', { kind: 'gar', location: 'us' }],
    ['gcr.io', { kind: 'gcr', location: 'us' }],
    ['us.gcr.io', { kind: 'gcr', location: 'us' }],
    ['eu.gcr.io', { kind: 'gcr', location: 'europe' }],
    ['asia.gcr.io', { kind: 'gcr', location: 'asia' }],
    ['acme.azurecr.io', { kind: 'acr', cloud: 'public' }],
    ['acme-fzdhf4bqh2ceawe8.azurecr.io', { kind: 'acr', cloud: 'public' }],
    ['acme.azurecr.cn', { kind: 'acr', cloud: 'china' }],
    ['acme.azurecr.us', { kind: 'acr', cloud: 'usgov' }],
    ['ghcr.io', { kind: 'ghcr' }],
    ['GHCR.io', { kind: 'ghcr' }],
    ['docker.io', { kind: 'dockerhub' }],
  ])('knows %s', (host, kind) => {
    expect(readRegistryHost(host)).toEqual(kind);
  });

  it.each([
    ['hello', 'dockerhub'],
    ['acme/hello', 'dockerhub'],
    ['docker.io/acme/hello', 'dockerhub'],
    ['index.docker.io/acme/hello', 'dockerhub'],
    ['registry-1.docker.io/acme/hello', 'dockerhub'],
    ['localhost/hello', 'generic'],
    ['localhost:5000/hello', 'generic'],
    ['127.0.0.1:5000/hello', 'generic'],
    ['[::1]:5000/hello', 'generic'],
    ['registry.example:5000/ghcr.io/hello', 'generic'],
    ['quay.io/acme/hello', 'generic'],
  ])('knows the host of the image %s as %s', (image, kind) => {
    expect(readRegistryHost(registryHost(image)).kind).toBe(kind);
  });

  it.each([
    `${ACCOUNT}.dkr.ecr.us-east-1.amazonaws.com.evil.example`,
    `evil-${ACCOUNT}.dkr.ecr.us-east-1.amazonaws.com`,
    `evil.${ACCOUNT}.dkr.ecr.us-east-1.amazonaws.com`,
    `${ACCOUNT}.dkr.ecr.us-east-1.amazonawsXcom`,
    `${ACCOUNT}.dkr.ecr.us-east-1.amazonaws.comXcn`,
    `${ACCOUNT}.dkr.ecr.us-east-1.amazonaws.com.cn`,
    `${ACCOUNT}.dkr.ecr.cn-north-1.amazonaws.com`,
    `${ACCOUNT}.dkr.ecr.x.y.z.amazonaws.com`,
    `${ACCOUNT}.dkr.ecr.us-east-1.evil.com`,
    `${ACCOUNT}.dkr.ecr.us-east-1.amazonaws.com:443`,
    `${ACCOUNT}.dkr-ecr.us-east-1.amazonaws.com`,
    `${ACCOUNT}.dkr.ecr.us-east-1.on.aws`,
    `${ACCOUNT}.dkrXecr.us-east-1.amazonaws.com`,
    '12345678901.dkr.ecr.us-east-1.amazonaws.com',
    'evil-public.ecr.aws',
    'public.ecr.aws.evil.example',
    'publicXecr.aws',
    'evil.pkg.dev',
    'us-docker.pkg.dev.evil.example',
    'evil.us-docker.pkg.dev',
    'us-dockerXpkg.dev',
    'us-npm.pkg.dev',
    'mirror.gcr.io',
    'evilgcr.io',
    'gcr.io.evil.example',
    'constructor',
    'azurecr.io',
    'acme.azurecr.io.evil.example',
    'acme.azurecrXio',
    'acmeazurecr.io',
    'acme.azurecr.de',
    '-.azurecr.io',
    'ghcr.io.evil.example',
    'evilghcr.io',
    'ghcr.io:443',
    'evil-docker.io',
    'docker.io.evil.example',
  ])('takes %s for nobody’s', (host) => {
    expect(readRegistryHost(host)).toEqual({ kind: 'generic' });
  });
});

describe('decideRegistryHost', () => {
  const env = { AWS_REGION: 'eu-west-1' };

  it.each([
    ['ghcr.io', 'auto', { kind: 'ghcr' }],
    ['ghcr.io', 'ghcr', { kind: 'ghcr' }],
    ['ghcr.io', 'generic', { kind: 'generic' }],
    [`${ACCOUNT}.dkr.ecr.us-east-1.amazonaws.com`, 'ecr', ecr('aws', 'us-east-1')],
    ['images.acme.example', 'ecr', ecr('aws', 'eu-west-1', { account: undefined })],
    ['images.acme.example', 'gar', { kind: 'gar', location: undefined }],
    ['images.acme.example', 'gcr', { kind: 'gar', location: undefined }],
    ['images.acme.example', 'acr', { kind: 'acr', cloud: 'public' }],
    ['containers.acme.example', 'ghcr', { kind: 'ghcr' }],
    ['mirror.acme.example', 'dockerhub', { kind: 'dockerhub' }],
    ['gcr.io', 'gar', { kind: 'gcr', location: 'us' }],
  ] as const)('takes %s with registry: %s as said', (host, asked, kind) => {
    expect(decideRegistryHost(host, asked, env)).toEqual(kind);
  });

  it.each([
    ['ghcr.io', 'ecr'],
    ['acme.azurecr.io', 'gar'],
    ['docker.io', 'ghcr'],
    [`${ACCOUNT}.dkr.ecr.us-east-1.amazonaws.com`, 'ecr-public'],
  ] as const)('refuses to take %s for %s', (host, asked) => {
    expect(() => decideRegistryHost(host, asked, env)).toThrow(`the input registry is ${asked}, but ${host}`);
  });

  it.each([{}, { AWS_REGION: 'evil.example/' }])('wants a region for an ECR whose name tells none (%o)', (without) => {
    expect(() => decideRegistryHost('images.acme.example', 'ecr', without)).toThrow('does not tell the region');
  });
});

describe('partitionOf', () => {
  it.each([
    ['us-east-1', 'aws'],
    ['us-gov-east-1', 'aws-us-gov'],
    ['cn-north-1', 'aws-cn'],
    ['nowhere', undefined],
  ])('of %s is %s', (region, partition) => {
    expect(partitionOf(region)).toBe(partition);
  });
});
