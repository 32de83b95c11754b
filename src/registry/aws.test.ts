import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { RegistryInputs } from '../inputs/registry.ts';
import { someRegistryInputs } from '../inputs/testing-registry.ts';
import { openTestWorld, type TestWorld } from '../source/testing-world.ts';
import { ecrSources } from './ecr.ts';
import type { CredentialSource } from './model.ts';
import { decideRegistryHost } from './registry-host.ts';
import {
  ASSUMED,
  type AwsAnswer,
  CLAIMS,
  KEYS,
  OIDC,
  type PlayedAws,
  playAws,
  stsError,
  TOKEN,
} from './testing-aws.ts';

const HOST = '123456789012.dkr.ecr.eu-west-1.amazonaws.com';
const ROLE = 'arn:aws:iam::123456789012:role/deploy';

/** By AWS's real clients; signatures, hosts and whole pushes are shown in test/e2e/clouds.test.ts. */
describe('who we are to AWS', () => {
  let world: TestWorld;
  let aws: PlayedAws;
  let env: Record<string, string>;

  beforeEach(async () => {
    world = await openTestWorld();
    aws = await playAws();
    env = { ...aws.jobEnv };
    for (const [name, value] of Object.entries(aws.processEnv)) vi.stubEnv(name, value);
  });
  afterEach(async () => {
    vi.unstubAllEnvs();
    await aws.close();
    await world.close();
  });

  it('takes the role for the password, and masks every secret on the way', async () => {
    const [keyless] = sources({ awsRole: ROLE });
    expect(await keyless?.find(HOST, world.signal)).toEqual({
      kind: 'basic',
      username: 'AWS',
      password: 'registry-password',
      source: `the role ${ROLE} (aws-role)`,
    });
    expect(aws.seen.map(({ operation }) => operation)).toEqual([
      'oidc',
      'AssumeRoleWithWebIdentity',
      'GetAuthorizationToken',
    ]);
    expect(JSON.parse(aws.seen[2]?.body ?? '')).toEqual({ registryIds: ['123456789012'] });
    expect(Object.fromEntries(new URLSearchParams(aws.seen[1]?.body))).toMatchObject({
      RoleArn: ROLE,
      RoleSessionName: 'slipway-run-1',
      WebIdentityToken: OIDC,
    });
    expect(world.masked).toEqual(['request-token', OIDC, 'secret-key', 'session-token', TOKEN, 'registry-password']);
  });

  it('takes the keys of the environment, and says so', async () => {
    ambient();
    const [surroundings] = sources({});
    expect(await surroundings?.find(HOST, world.signal)).toMatchObject({
      source: 'AWS’s environment variables, access key AKIDEXAMPLE',
    });
    expect(world.masked).toContain('ambient-secret');
  });

  it('has nothing where the surroundings have no credentials', async () => {
    const [surroundings] = sources({});
    expect(await surroundings?.find(HOST, world.signal)).toBeUndefined();
    expect(aws.seen).toEqual([]);
  });

  it.each<[string, AwsAnswer, string, string]>([
    [
      'the trust policy is about others',
      stsError('AccessDenied', 'Not authorized to perform sts:AssumeRoleWithWebIdentity'),
      'its trust policy does not fit the token',
      `sub "${CLAIMS.sub}", aud "sts.amazonaws.com"`,
    ],
    [
      'there is no identity provider',
      stsError('InvalidIdentityToken', 'No OpenIDConnect provider found in your account for https://issuer.example'),
      'does not know GitHub as an identity provider',
      'https://issuer.example with the audience sts.amazonaws.com',
    ],
    [
      'the audience is another',
      stsError('InvalidIdentityToken', 'Incorrect token audience'),
      'does not take this audience',
      'aud "sts.amazonaws.com"',
    ],
    [
      'the token is not taken',
      stsError('InvalidIdentityToken', 'Couldn’t retrieve verification key'),
      'AWS refused GitHub’s token',
      'Check the IAM identity provider',
    ],
    [
      'AWS says something else',
      stsError('ValidationError', 'durationSeconds exceeds'),
      `the role ${ROLE} could not be assumed: durationSeconds exceeds`,
      'Check the ARN',
    ],
  ])('says what to mend when %s', async (_what, answer, message, remedy) => {
    aws.answers.AssumeRoleWithWebIdentity = [answer];
    const [keyless] = sources({ awsRole: ROLE });
    await expect(keyless?.find(HOST, world.signal)).rejects.toMatchObject({
      message: expect.stringContaining(message),
      remedy: expect.stringContaining(remedy),
    });
  });

  it('asks for the other audience in China when the first is not known there', async () => {
    aws.answers.AssumeRoleWithWebIdentity = [
      stsError('InvalidIdentityToken', 'Incorrect token audience'),
      [200, ASSUMED],
    ];
    const host = '123456789012.dkr.ecr.cn-north-1.amazonaws.com.cn';
    const [keyless] = sources({ awsRole: ROLE.replace('aws', 'aws-cn') }, host);
    expect(await keyless?.find(host, world.signal)).toMatchObject({ password: 'registry-password' });
  });

  it.each([
    [
      'arn:aws-cn:iam::123456789012:role/deploy',
      'is of the partition aws-cn, but the registry’s region eu-west-1 is in aws',
    ],
  ])('refuses the role %s before it asks anybody', async (awsRole, message) => {
    const [keyless] = sources({ awsRole });
    await expect(keyless?.find(HOST, world.signal)).rejects.toThrow(message);
    expect(aws.seen).toEqual([]);
  });

  function sources(written: Partial<RegistryInputs>, host = HOST): CredentialSource[] {
    const owner = decideRegistryHost(host, 'auto', {});
    if (owner.kind !== 'ecr') throw new Error(`${host} is no host of ECR`);
    return ecrSources(owner, someRegistryInputs(written), { ...world, env, fetch });
  }

  function ambient(): void {
    for (const [name, value] of Object.entries(KEYS)) vi.stubEnv(name, value);
    env = { ...env, ...KEYS };
  }
});
