import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, inject, it } from 'vitest';
import { GOOGLE_AUDIENCE, PROVIDER, SERVICE_ACCOUNT } from '../clouds/google.ts';
import { GOOGLE, IMAGES, pathOf } from '../clouds/jobs.ts';
import { useScene } from '../clouds/scene.ts';
import type { Sky } from '../clouds/sky.ts';
import { pullRequestEvent } from '../journey/runner.ts';

/** Whose credentials are used for a registry when there are several: one order for all clouds. */
describe('the credentials for a push', () => {
  const scene = useScene(inject('rig').prefectApiUrl);
  const { push, expectPushed, hostsAsked, requestsTo } = scene;
  const STS = 'sts.us-east-1.amazonaws.com';
  const withRepositories = () => {
    scene.sky.ecr.repositories.set('acme/hello', { scanOnPush: false, tagMutability: 'MUTABLE' });
    scene.sky.google.repositories.add('projects/acme-prod/locations/us-central1/repositories/flows');
  };
  const awsKeys = ({ aws, role }: Sky) => {
    const { accessKeyId, secretKey, token } = aws.issue(role, 'earlier-step');
    return { AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretKey, AWS_SESSION_TOKEN: token };
  };

  it('are the given ones before a role', async () => {
    withRepositories();
    const { ecr, aws, role, github } = scene.sky;
    const result = await push(IMAGES.ecr, {
      inputs: {
        'registry-username': 'AWS',
        'registry-password': ecr.issue(aws.callerOfRole(role)),
        'aws-role': role.arn,
      },
      env: github.env,
    });
    await expectPushed(result, pathOf(IMAGES.ecr));
    expect(hostsAsked()).toEqual([ecr.host]);
    expect(result.log).toContain('signing in with the inputs registry-username and registry-password');
  });

  it('are a role’s before keys in the environment', async () => {
    withRepositories();
    const { github, role } = scene.sky;
    const env = { ...github.env, ...awsKeys(scene.sky) };
    const result = await push(IMAGES.ecr, { inputs: { 'aws-role': role.arn }, env });
    await expectPushed(result, pathOf(IMAGES.ecr));
    expect(requestsTo(STS)).toHaveLength(1);
    expect(result.log).toContain(`signing in with the role ${role.arn} (aws-role)`);
  });

  it('are nobody else’s when a role cannot be assumed', async () => {
    withRepositories();
    const { ecr, github, role } = scene.sky;
    role.subject = 'repo:acme/other';
    const env = { ...github.env, ...awsKeys(scene.sky) };
    const result = await push(IMAGES.ecr, { inputs: { 'aws-role': role.arn }, env });
    expect(result.exitCode).toBe(1);
    expect(requestsTo(ecr.host)).toEqual([]);
  });

  it.each<[string, string, (sky: Sky) => Record<string, string>, RegExp]>([
    ['keys in the environment, on ECR', IMAGES.ecr, awsKeys, /signing in with .*AWS/],
    ['the machine’s on EC2', IMAGES.ecr, (sky) => on(sky, 'EC2'), /signing in with .*AWS/],
    ['the machine’s on Compute Engine', IMAGES.artifactRegistry, (sky) => on(sky, 'Compute Engine'), /this machine/],
    ['the machine’s on Azure', IMAGES.acr, (sky) => on(sky, 'Azure'), /signing in with Azure’s own credentials/],
  ])('are %s when none are asked for', async (_whose, image, surroundings, told) => {
    withRepositories();
    const env = surroundings(scene.sky);
    const result = await push(image, { env });
    await expectPushed(result, pathOf(image));
    expect(result.log).toMatch(told);
    expect(hostsAsked()).not.toContain('pipelines.actions.githubusercontent.com');
  });

  it('are those that google-github-actions/auth left', async () => {
    withRepositories();
    const { github } = scene.sky;
    const file = join(scene.setting.folder, 'gha-creds.json');
    const url = new URL(github.env.ACTIONS_ID_TOKEN_REQUEST_URL ?? '');
    url.searchParams.set('audience', GOOGLE_AUDIENCE);
    const credentials = {
      type: 'external_account',
      audience: `//iam.googleapis.com/${PROVIDER}`,
      subject_token_type: 'urn:ietf:params:oauth:token-type:jwt',
      token_url: 'https://sts.googleapis.com/v1/token',
      service_account_impersonation_url: `https://iamcredentials.googleapis.com/v1/projects/-/serviceAccounts/${SERVICE_ACCOUNT}:generateAccessToken`,
      credential_source: {
        url: url.href,
        headers: { Authorization: `Bearer ${github.env.ACTIONS_ID_TOKEN_REQUEST_TOKEN}` },
        format: { type: 'json', subject_token_field_name: 'value' },
      },
    };
    await writeFile(file, JSON.stringify(credentials));
    const result = await push(IMAGES.artifactRegistry, { env: { GOOGLE_APPLICATION_CREDENTIALS: file } });
    await expectPushed(result, pathOf(IMAGES.artifactRegistry));
    expect(result.log).toContain('GOOGLE_APPLICATION_CREDENTIALS');
  });

  it('are those that docker login left, when nobody else has any', async () => {
    withRepositories();
    const { ecr, aws, role } = scene.sky;
    const auth = Buffer.from(`AWS:${ecr.issue(aws.callerOfRole(role))}`).toString('base64');
    const env = await dockerConfig({ [ecr.host]: { auth } });
    await expectPushed(await push(IMAGES.ecr, { env }), pathOf(IMAGES.ecr));
    expect(hostsAsked()).not.toContain(STS);
  });

  it('of two jobs at once on one machine keep apart, and its own configuration stays', async () => {
    const { basic, bearer } = scene.sky;
    const before = await readFile(join(scene.setting.env.DOCKER_CONFIG ?? '', 'config.json'), 'utf8');
    const job = ({ username, password }: { username: string; password: string }) => ({
      inputs: { 'registry-username': username, 'registry-password': password },
    });
    const [one, other] = await Promise.all([
      push(`${basic.host}/team/one:one`, job(basic)),
      scene.pushElsewhere(`${bearer.host}/team/other:one`, job(bearer)),
    ]);
    await expectPushed(one, 'team/one');
    await expectPushed(other, 'team/other');
    expect(await readFile(join(scene.setting.env.DOCKER_CONFIG ?? '', 'config.json'), 'utf8')).toBe(before);
  });

  it('are asked for by no pull request from a fork', async () => {
    withRepositories();
    const { github } = scene.sky;
    const event = (sha: string) => pullRequestEvent(sha, true);
    const result = await push(IMAGES.artifactRegistry, {
      inputs: { ...GOOGLE, mode: 'deploy' },
      env: github.env,
      event,
    });
    expect(result.log).toContain('Nothing will be written');
    expect(hostsAsked()).toEqual([]);
  });

  function on(sky: Sky, machine: Sky['metadata']['machine']): Record<string, string> {
    sky.metadata.machine = machine;
    return {};
  }

  /** The setting's Docker configuration, with what a `docker login` adds. */
  async function dockerConfig(auths: object): Promise<Record<string, string>> {
    const { folder, env } = scene.setting;
    const directory = join(folder, 'signed-in-docker');
    await mkdir(directory);
    const config = { auths, cliPluginsExtraDirs: [join(env.DOCKER_CONFIG ?? '', 'cli-plugins')] };
    await writeFile(join(directory, 'config.json'), JSON.stringify(config));
    return { DOCKER_CONFIG: directory };
  }
});
