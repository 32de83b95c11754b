import { describe, expect, inject, it } from 'vitest';
import type { CloudAnswer } from '../clouds/cloud.ts';
import { CONNECTION } from '../clouds/docker-identity.ts';
import { failing, once } from '../clouds/faults.ts';
import { SUBJECT } from '../clouds/github.ts';
import { AZURE, GOOGLE, IMAGES, pathOf } from '../clouds/jobs.ts';
import { useScene } from '../clouds/scene.ts';
import type { Sky } from '../clouds/sky.ts';
import type { StepResult } from '../journey/runner.ts';

const BUSY: CloudAnswer = { status: 429, headers: { 'retry-after': '1' }, body: 'slow down' };
const BROKEN: CloudAnswer = { status: 500, body: 'oh no' };
const ELSEWHERE = 'cdn.example.net';

/** What goes wrong with clouds, and what the step then says or does. */
describe('a push among clouds in trouble', () => {
  const scene = useScene(inject('rig').prefectApiUrl);
  const { push, pushKeyless, expectPushed, requestsTo } = scene;
  const awsRole = () => ({ 'aws-role': scene.sky.role.arn });
  const userOf = (of: (sky: Sky) => { username: string; password: string }) => {
    const { username, password } = of(scene.sky);
    return { 'registry-username': username, 'registry-password': password };
  };
  const withRepositories = () => {
    scene.sky.ecr.repositories.set('acme/hello', { scanOnPush: false, tagMutability: 'MUTABLE' });
    scene.sky.google.repositories.add('projects/acme-prod/locations/us-central1/repositories/flows');
  };

  describe('says what to mend when', () => {
    it.each<[string, (sky: Sky) => void, string, () => Record<string, string>, RegExp[]]>([
      [
        'the role trusts another subject',
        (sky) => (sky.role.subject = 'repo:acme/other:*'),
        IMAGES.ecr,
        awsRole,
        [/trust/i, new RegExp(SUBJECT)],
      ],
      [
        'the role trusts another audience',
        (sky) => (sky.role.audience = 'https://github.com/acme'),
        IMAGES.ecr,
        awsRole,
        [/audience/i, /sts\.amazonaws\.com/],
      ],
      [
        'the role may not sign in to ECR',
        (sky) => sky.role.actions.delete('ecr:GetAuthorizationToken'),
        IMAGES.ecr,
        awsRole,
        [/ecr:GetAuthorizationToken/],
      ],
      [
        'the role may not push',
        (sky) => sky.role.actions.delete('ecr:InitiateLayerUpload'),
        IMAGES.ecr,
        awsRole,
        [/ecr:InitiateLayerUpload/],
      ],
      [
        'the role may not sign in to ECR Public',
        (sky) => sky.role.actions.delete('sts:GetServiceBearerToken'),
        IMAGES.ecrPublic,
        awsRole,
        [/sts:GetServiceBearerToken/],
      ],
      [
        'the repository on ECR is missing',
        (sky) => sky.ecr.repositories.clear(),
        IMAGES.ecr,
        awsRole,
        [/does not exist/, /create-repository/],
      ],
      [
        'the role may not make the repository',
        (sky) => {
          sky.ecr.repositories.clear();
          sky.role.actions.delete('ecr:CreateRepository');
        },
        IMAGES.ecr,
        () => ({ ...awsRole(), 'create-repository': 'true' }),
        [/ecr:CreateRepository/],
      ],
      [
        'Google’s provider has another condition',
        (sky) => (sky.google.subject = 'repo:acme/other'),
        IMAGES.artifactRegistry,
        () => GOOGLE,
        [/condition/, new RegExp(SUBJECT)],
      ],
      [
        'the pool may not become the service account',
        (sky) => sky.google.permissions.federated.clear(),
        IMAGES.artifactRegistry,
        () => GOOGLE,
        [/iam\.serviceAccounts\.getAccessToken|roles\/iam\.workloadIdentityUser/],
      ],
      [
        'the service account may not push',
        (sky) => sky.google.permissions.serviceAccount.delete('artifactregistry.repositories.uploadArtifacts'),
        IMAGES.artifactRegistry,
        () => GOOGLE,
        [/artifactregistry\.(repositories\.uploadArtifacts|writer)/],
      ],
      [
        'the repository in Artifact Registry is missing',
        (sky) => sky.google.repositories.clear(),
        IMAGES.artifactRegistry,
        () => GOOGLE,
        [/create-repository/],
      ],
      [
        'Azure’s application has another federated credential',
        (sky) => (sky.azure.subject = 'repo:acme/other'),
        IMAGES.acr,
        () => AZURE,
        [/AADSTS700213|federated credential/, new RegExp(SUBJECT)],
      ],
      [
        'Azure’s federated credential has another audience',
        (sky) => (sky.azure.audience = 'api://Other'),
        IMAGES.acr,
        () => AZURE,
        [/audience/, /api:\/\/AzureADTokenExchange/],
      ],
      [
        'Azure’s application has no role on the registry',
        (sky) => sky.azure.actions.clear(),
        IMAGES.acr,
        () => AZURE,
        [/AcrPush/],
      ],
      [
        'Azure’s application may only pull',
        (sky) => sky.azure.actions.delete('push'),
        IMAGES.acr,
        () => AZURE,
        [/AcrPush/],
      ],
      [
        'GitHub’s package does not let this repository write',
        (sky) => sky.ghcr.actions.delete('push'),
        IMAGES.ghcr,
        () => ({ 'github-token': scene.sky.ghcr.password }),
        [/packages: write/, /Manage Actions access/],
      ],
    ])('%s', async (_what, spoil, image, inputs, says) => {
      withRepositories();
      spoil(scene.sky);
      const result = await pushKeyless(image, inputs());
      expect(result.exitCode, result.log).toBe(1);
      for (const words of says) expect(errorOf(result)).toMatch(words);
      expect(result.leftovers).toEqual([]);
    });

    it('an organisation’s connection to Docker has another ruleset', async () => {
      scene.sky.dockerIdentity.subject = 'repo:acme/other';
      const env = { ...scene.sky.github.env, DOCKERHUB_OIDC_CONNECTIONID: CONNECTION };
      const result = await push('docker.io/acme/hello:one', { env });
      expect(result.exitCode).toBe(1);
      expect(errorOf(result)).toMatch(/no matching rule found/);
      expect(errorOf(result)).toContain(SUBJECT);
      expect(requestsTo('auth.docker.io')).toEqual([]);
    });

    it.each<[string, string, () => Record<string, string>]>([
      ['AWS', IMAGES.ecr, awsRole],
      ['Google', IMAGES.artifactRegistry, () => GOOGLE],
      ['Azure', IMAGES.acr, () => AZURE],
    ])('the job may not ask for an OIDC token for %s', async (_cloud, image, inputs) => {
      const result = await push(image, { inputs: inputs() });
      expect(result.exitCode).toBe(1);
      expect(errorOf(result)).toContain('id-token: write');
      expect(scene.hostsAsked()).toEqual([]);
    });

    it('a password is wrong', async () => {
      const result = await push(IMAGES.basic, {
        inputs: { 'registry-username': 'bob', 'registry-password': 'wrong-one' },
      });
      expect(result.exitCode).toBe(1);
      expect(errorOf(result)).toMatch(
        /refused the credentials from the inputs registry-username and registry-password/,
      );
    });
  });

  describe('is none the worse for', () => {
    it.each<[string, string, () => Record<string, string>, Parameters<typeof failing>[0], CloudAnswer | 'reset']>([
      [
        'GitHub’s token service breaking down',
        IMAGES.acr,
        () => AZURE,
        { host: 'pipelines.actions.githubusercontent.com' },
        BROKEN,
      ],
      ['AWS’s token service breaking down', IMAGES.ecr, awsRole, { host: 'sts.us-east-1.amazonaws.com' }, BROKEN],
      ['ECR’s API breaking off', IMAGES.ecr, awsRole, { host: 'api.ecr.us-east-1.amazonaws.com' }, 'reset'],
      [
        'Google’s token service breaking down',
        IMAGES.artifactRegistry,
        () => GOOGLE,
        { host: 'sts.googleapis.com' },
        BROKEN,
      ],
      ['Entra being overloaded', IMAGES.acr, () => AZURE, { host: 'login.microsoftonline.com' }, BUSY],
      [
        'ACR’s exchange being overloaded',
        IMAGES.acr,
        () => AZURE,
        { host: 'acme.azurecr.io', path: '/oauth2/exchange' },
        BUSY,
      ],
      [
        'a registry being overloaded',
        IMAGES.basic,
        () => userOf((sky) => sky.basic),
        { host: 'registry.example.com', method: 'POST' },
        BUSY,
      ],
      [
        'a registry breaking down',
        IMAGES.basic,
        () => userOf((sky) => sky.basic),
        { host: 'registry.example.com', method: 'PUT', path: '/manifests/' },
        BROKEN,
      ],
      [
        'a registry breaking off',
        IMAGES.basic,
        () => userOf((sky) => sky.basic),
        { host: 'registry.example.com', method: 'HEAD', path: '/blobs/' },
        'reset',
      ],
    ])('%s for a moment', async (_what, image, inputs, place, answer) => {
      withRepositories();
      scene.setting.server.intercept(failing(place, 1, answer));
      await expectPushed(await pushKeyless(image, inputs()), pathOf(image));
    });

    it.each<[string, string, () => Record<string, string>, (sky: Sky) => void]>([
      ['ECR', IMAGES.ecr, awsRole, (sky) => sky.ecr.expire()],
      ['Artifact Registry', IMAGES.artifactRegistry, () => GOOGLE, (sky) => sky.google.expire()],
      ['ACR', IMAGES.acr, () => AZURE, (sky) => sky.azure.expire()],
    ])('the sign-in to %s ending during the build', async (_name, image, inputs, expire) => {
      withRepositories();
      const host = image.slice(0, image.indexOf('/'));
      scene.setting.server.intercept(once({ host, method: 'POST', agent: 'buildkit' }, () => expire(scene.sky)));
      const result = await pushKeyless(image, inputs());
      await expectPushed(result, pathOf(image));
      expect(result.log).toContain('once more with new credentials');
    });
  });

  describe('takes its secrets', () => {
    it('to no host that a registry redirects to', async () => {
      const { basic } = scene.sky;
      const redirect = { status: 307, headers: { location: `https://${ELSEWHERE}/manifest` } };
      scene.setting.server.intercept(failing({ host: basic.host, method: 'HEAD', path: '/manifests/' }, 9, redirect));
      const result = await push(IMAGES.basic, { inputs: userOf((sky) => sky.basic) });
      expect(requestsTo(ELSEWHERE).length, result.log).toBeGreaterThan(0);
      expect(requestsTo(ELSEWHERE).filter(({ headers }) => headers.authorization !== undefined)).toEqual([]);
    });

    it('along no redirect of an exchange', async () => {
      const redirect = { status: 307, headers: { location: `https://${ELSEWHERE}/exchange` } };
      scene.setting.server.intercept(failing({ host: 'acme.azurecr.io', path: '/oauth2/exchange' }, 9, redirect));
      const result = await pushKeyless(IMAGES.acr, AZURE);
      expect(result.exitCode).toBe(1);
      expect(errorOf(result)).toMatch(/redirect/);
      expect(requestsTo(ELSEWHERE)).toEqual([]);
    });
  });
});

function errorOf(result: StepResult): string {
  return result.annotations
    .filter(({ level }) => level === 'error')
    .map(({ message }) => message)
    .join('\n');
}
