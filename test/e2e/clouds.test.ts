import { describe, expect, inject, it } from 'vitest';
import { ACCOUNT } from '../clouds/aws-sts.ts';
import { CONNECTION } from '../clouds/docker-identity.ts';
import type { Ecr } from '../clouds/ecr.ts';
import { GOOGLE_AUDIENCE, PROVIDER } from '../clouds/google.ts';
import { AZURE, GOOGLE } from '../clouds/jobs.ts';
import type { PasswordRegistry } from '../clouds/passwords.ts';
import { useScene } from '../clouds/scene.ts';
import type { Sky } from '../clouds/sky.ts';

const GITHUB = 'pipelines.actions.githubusercontent.com';

/** The action, real buildx and BuildKit and a real registry, among clouds that are played under their own names. */
describe('a push to a cloud’s registry', () => {
  const scene = useScene(inject('rig').prefectApiUrl);
  const { push, pushKeyless, expectPushed, requestsTo, hostsAsked, audiences } = scene;

  describe('with a user’s password', () => {
    it.each<[string, (sky: Sky) => PasswordRegistry, string, string[]]>([
      ['GitHub’s', (sky) => sky.ghcr, 'acme/hello', ['ghcr.io']],
      ['Docker Hub', (sky) => sky.dockerHub, 'acme/hello', ['auth.docker.io', 'registry-1.docker.io']],
      ['one that wants Basic', (sky) => sky.basic, 'team/hello', ['registry.example.com']],
      ['one that wants a token', (sky) => sky.bearer, 'team/hello', ['harbor.example.com']],
    ])('reaches %s and tells it to nobody else', async (_name, of, path, hosts) => {
      const { host, username, password } = of(scene.sky);
      const result = await push(`${host}/${path}:one`, {
        inputs: { 'registry-username': username, 'registry-password': password },
      });
      await expectPushed(result, path);
      expect(hostsAsked()).toEqual(hosts);
    });
  });

  it('reaches GitHub’s registry with the job’s own token', async () => {
    const result = await push('ghcr.io/acme/hello:one', { inputs: { 'github-token': scene.sky.ghcr.password } });
    await expectPushed(result, 'acme/hello');
    expect(hostsAsked()).toEqual(['ghcr.io']);
  });

  describe('keyless', () => {
    it.each<[string, (sky: Sky) => Ecr, string, string, string]>([
      ['ECR', (sky) => sky.ecr, 'aws', 'sts.us-east-1.amazonaws.com', 'api.ecr.us-east-1.amazonaws.com'],
      [
        'ECR in China',
        (sky) => sky.ecrChina,
        'aws-cn',
        'sts.cn-north-1.amazonaws.com.cn',
        'api.ecr.cn-north-1.amazonaws.com.cn',
      ],
      [
        'ECR by its FIPS name in AWS GovCloud',
        (sky) => sky.ecrGov,
        'aws-us-gov',
        'sts.us-gov-west-1.amazonaws.com',
        'api.ecr-fips.us-gov-west-1.amazonaws.com',
      ],
    ])('reaches %s', async (_name, of, partition, sts, api) => {
      const ecr = of(scene.sky);
      ecr.repositories.set('acme/hello', { scanOnPush: false, tagMutability: 'MUTABLE' });
      const result = await pushKeyless(`${ecr.host}/acme/hello:one`, {
        'aws-role': `arn:${partition}:iam::${ACCOUNT}:role/deploy`,
      });
      await expectPushed(result, 'acme/hello');
      expect(audiences()).toEqual([partition === 'aws-cn' ? 'sts.amazonaws.com.cn' : 'sts.amazonaws.com']);
      expect(hostsAsked()).toEqual([GITHUB, sts, api, ecr.host].sort());
      // The call that has no signature carries none of what the runner may have in its environment.
      expect(requestsTo(sts).map(({ headers }) => headers.authorization)).toEqual([undefined]);
      expect(requestsTo(api)).toHaveLength(1);
    });

    it('reaches ECR Public', async () => {
      scene.sky.ecrPublic.repositories.add('hello');
      const result = await pushKeyless('public.ecr.aws/acme/hello:one', { 'aws-role': scene.sky.role.arn });
      await expectPushed(result, 'acme/hello');
      expect(audiences()).toEqual(['sts.amazonaws.com']);
      expect(requestsTo('api.ecr-public.us-east-1.amazonaws.com')).toHaveLength(1);
    });

    it('reaches Artifact Registry as the pool’s own principal', async () => {
      scene.sky.google.permissions.serviceAccount.clear();
      scene.sky.google.repositories.add('projects/acme-prod/locations/us-central1/repositories/flows');
      const result = await pushKeyless('us-central1-docker.pkg.dev/acme-prod/flows/hello:one', {
        'gcp-workload-identity-provider': PROVIDER,
      });
      await expectPushed(result, 'acme-prod/flows/hello');
      expect(audiences()).toEqual([GOOGLE_AUDIENCE]);
      expect(hostsAsked()).toEqual([GITHUB, 'sts.googleapis.com', 'us-central1-docker.pkg.dev']);
    });

    it.each([
      ['Artifact Registry', 'us-central1-docker.pkg.dev', 'acme-prod/flows/hello', 'us-central1/repositories/flows'],
      ['Container Registry’s name', 'gcr.io', 'acme-prod/hello', 'us/repositories/gcr.io'],
    ])('reaches %s as a service account', async (_name, host, path, repository) => {
      const { google } = scene.sky;
      google.permissions.federated.clear();
      google.permissions.federated.add('iam.serviceAccounts.getAccessToken');
      google.repositories.add(`projects/acme-prod/locations/${repository}`);
      const result = await pushKeyless(`${host}/${path}:one`, GOOGLE);
      await expectPushed(result, path);
      expect(audiences()).toEqual([GOOGLE_AUDIENCE]);
      expect(hostsAsked()).toEqual([GITHUB, 'iamcredentials.googleapis.com', 'sts.googleapis.com', host].sort());
    });

    it('reaches ACR', async () => {
      const result = await pushKeyless(`${scene.sky.azure.host}/hello:one`, AZURE);
      await expectPushed(result, 'hello');
      expect(new Set(audiences())).toEqual(new Set(['api://AzureADTokenExchange']));
      expect(hostsAsked()).toEqual(['acme.azurecr.io', 'login.microsoftonline.com', GITHUB]);
    });
  });

  it('reaches Docker Hub by an organisation’s connection', async () => {
    const env = { ...scene.sky.github.env, DOCKERHUB_OIDC_CONNECTIONID: CONNECTION };
    const result = await push('docker.io/acme/hello:one', { env });
    await expectPushed(result, 'acme/hello');
    expect(audiences()).toEqual(['https://identity.docker.com']);
    expect(hostsAsked()).toEqual(['auth.docker.io', 'identity.docker.com', GITHUB, 'registry-1.docker.io']);
  });

  describe('where the repository is missing', () => {
    it('makes it on ECR with scans on push, once', async () => {
      const { ecr, role } = scene.sky;
      const inputs = { 'aws-role': role.arn, 'create-repository': 'true' };
      const result = await pushKeyless(`${ecr.host}/acme/fresh:one`, inputs);
      await expectPushed(result, 'acme/fresh');
      expect(ecr.repositories.get('acme/fresh')).toEqual({ scanOnPush: true, tagMutability: 'MUTABLE' });
      await expectPushed(await pushKeyless(`${ecr.host}/acme/fresh:two`, inputs), 'acme/fresh');
      const creations = requestsTo('api.ecr.us-east-1.amazonaws.com').filter((seen) =>
        seen.headers['x-amz-target']?.endsWith('.CreateRepository'),
      );
      expect(creations).toHaveLength(1);
    });

    it('leaves the settings of one on ECR that is there', async () => {
      const { ecr, role } = scene.sky;
      ecr.repositories.set('acme/kept', { scanOnPush: false, tagMutability: 'IMMUTABLE' });
      const inputs = { 'aws-role': role.arn, 'create-repository': 'true' };
      await expectPushed(await pushKeyless(`${ecr.host}/acme/kept:one`, inputs), 'acme/kept');
      expect(ecr.repositories.get('acme/kept')).toEqual({ scanOnPush: false, tagMutability: 'IMMUTABLE' });
    });

    it('makes it on ECR Public', async () => {
      const inputs = { 'aws-role': scene.sky.role.arn, 'create-repository': 'true' };
      await expectPushed(await pushKeyless('public.ecr.aws/acme/fresh:one', inputs), 'acme/fresh');
      expect([...scene.sky.ecrPublic.repositories]).toEqual(['fresh']);
    });

    it('makes it in Artifact Registry', async () => {
      const result = await pushKeyless('us-central1-docker.pkg.dev/acme-prod/fresh/hello:one', {
        ...GOOGLE,
        'create-repository': 'true',
      });
      await expectPushed(result, 'acme-prod/fresh/hello');
      expect([...scene.sky.google.repositories]).toEqual([
        'projects/acme-prod/locations/us-central1/repositories/fresh',
      ]);
    });
  });
});
