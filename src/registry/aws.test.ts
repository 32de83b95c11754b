import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { RegistryInputs } from '../inputs/registry.ts';
import { someRegistryInputs } from '../inputs/testing-registry.ts';
import { openTestWorld, type TestWorld } from '../source/testing-world.ts';
import { ecrSources } from './ecr.ts';
import { ecrPublicSources } from './ecr-public.ts';
import type { CredentialSource } from './model.ts';
import { decideRegistryHost } from './registry-host.ts';

const HOST = '123456789012.dkr.ecr.eu-west-1.amazonaws.com';
const ROLE = 'arn:aws:iam::123456789012:role/deploy';
const CLAIMS = { sub: 'repo:acme/hello:ref:refs/heads/main', aud: 'sts.amazonaws.com', iss: 'https://issuer.example' };
const OIDC = ['e30', Buffer.from(JSON.stringify(CLAIMS)).toString('base64url'), 'signature'].join('.');
const TOKEN = Buffer.from('AWS:registry-password').toString('base64');

type Answer = readonly [status: number, body: string];

/**
 * AWS's real clients against a server of our own, which AWS's own variables name as the endpoints. Signatures, hosts and
 * whole pushes are shown in test/e2e/clouds.test.ts.
 */
describe('AWS', () => {
  let world: TestWorld;
  let server: Server;
  let env: Record<string, string>;
  let seen: { operation: string; body: string }[];
  let answers: Record<string, Answer | Answer[]>;

  beforeEach(async () => {
    world = await openTestWorld();
    seen = [];
    answers = {
      oidc: [200, JSON.stringify({ value: OIDC })],
      AssumeRoleWithWebIdentity: [200, assumed()],
      GetAuthorizationToken: [200, JSON.stringify({ authorizationData: [{ authorizationToken: TOKEN }] })],
    };
    server = createServer((request, response) => {
      void text(request).then((body) => {
        const target = String(request.headers['x-amz-target'] ?? '').split('.')[1];
        const operation = target ?? new URLSearchParams(body).get('Action') ?? 'oidc';
        seen.push({ operation, body });
        const answer = answers[operation];
        const [status, content] = (Array.isArray(answer?.[0]) ? (answer as Answer[]).shift() : (answer as Answer)) ?? [
          404,
          '',
        ];
        response.writeHead(status, {
          'content-type': operation === 'AssumeRoleWithWebIdentity' ? 'text/xml' : 'application/x-amz-json-1.1',
        });
        response.end(content);
      });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    env = { ACTIONS_ID_TOKEN_REQUEST_URL: `${url}/oidc?v=1`, ACTIONS_ID_TOKEN_REQUEST_TOKEN: 'request-token' };
    const ours = {
      AWS_ENDPOINT_URL_STS: url,
      AWS_ENDPOINT_URL_ECR: url,
      AWS_ENDPOINT_URL_ECR_PUBLIC: url,
      AWS_EC2_METADATA_DISABLED: 'true',
      AWS_CONFIG_FILE: '/nowhere',
      AWS_SHARED_CREDENTIALS_FILE: '/nowhere',
    };
    for (const [name, value] of Object.entries(ours)) vi.stubEnv(name, value);
    for (const name of [
      'AWS_ACCESS_KEY_ID',
      'AWS_SECRET_ACCESS_KEY',
      'AWS_SESSION_TOKEN',
      'AWS_PROFILE',
      'AWS_WEB_IDENTITY_TOKEN_FILE',
    ])
      vi.stubEnv(name, undefined);
  });
  afterEach(async () => {
    vi.unstubAllEnvs();
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
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
    expect(seen.map(({ operation }) => operation)).toEqual([
      'oidc',
      'AssumeRoleWithWebIdentity',
      'GetAuthorizationToken',
    ]);
    expect(JSON.parse(seen[2]?.body ?? '')).toEqual({ registryIds: ['123456789012'] });
    expect(Object.fromEntries(new URLSearchParams(seen[1]?.body))).toMatchObject({
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
    expect(seen).toEqual([]);
  });

  it.each<[string, Answer, string, string]>([
    [
      'the trust policy is about others',
      refusal('AccessDenied', 'Not authorized to perform sts:AssumeRoleWithWebIdentity'),
      'its trust policy does not fit the token',
      `sub "${CLAIMS.sub}", aud "sts.amazonaws.com"`,
    ],
    [
      'there is no identity provider',
      refusal('InvalidIdentityToken', 'No OpenIDConnect provider found in your account for https://issuer.example'),
      'does not know GitHub as an identity provider',
      'https://issuer.example with the audience sts.amazonaws.com',
    ],
    [
      'the audience is another',
      refusal('InvalidIdentityToken', 'Incorrect token audience'),
      'does not take this audience',
      'aud "sts.amazonaws.com"',
    ],
    [
      'the token is not taken',
      refusal('InvalidIdentityToken', 'Couldn’t retrieve verification key'),
      'AWS refused GitHub’s token',
      'Check the IAM identity provider',
    ],
    [
      'AWS says something else',
      refusal('ValidationError', 'durationSeconds exceeds'),
      `the role ${ROLE} could not be assumed: durationSeconds exceeds`,
      'Check the ARN',
    ],
  ])('says what to mend when %s', async (_what, answer, message, remedy) => {
    answers.AssumeRoleWithWebIdentity = answer;
    const [keyless] = sources({ awsRole: ROLE });
    await expect(keyless?.find(HOST, world.signal)).rejects.toMatchObject({
      message: expect.stringContaining(message),
      remedy: expect.stringContaining(remedy),
    });
  });

  it('asks for the other audience in China when the first is not known there', async () => {
    answers.AssumeRoleWithWebIdentity = [refusal('InvalidIdentityToken', 'Incorrect token audience'), [200, assumed()]];
    const host = '123456789012.dkr.ecr.cn-north-1.amazonaws.com.cn';
    const [keyless] = sources({ awsRole: ROLE.replace('aws', 'aws-cn') }, host);
    expect(await keyless?.find(host, world.signal)).toMatchObject({ password: 'registry-password' });
  });

  it.each([
    ['deploy', 'is no ARN of a role'],
    [
      'arn:aws-cn:iam::123456789012:role/deploy',
      'is of the partition aws-cn, but the registry’s region eu-west-1 is in aws',
    ],
  ])('refuses the role %s before it asks anybody', async (awsRole, message) => {
    const [keyless] = sources({ awsRole });
    await expect(keyless?.find(HOST, world.signal)).rejects.toThrow(message);
    expect(seen).toEqual([]);
  });

  it.each<[string, string, string]>([
    [
      'AccessDeniedException',
      'User: arn:aws:sts::1:assumed-role/x/y is not authorized to perform: ecr:GetAuthorizationToken on resource: *',
      'Allow ecr:GetAuthorizationToken',
    ],
    ['AccessDeniedException', 'no', 'Allow ecr:GetAuthorizationToken'],
    ['ExpiredTokenException', 'The security token included in the request is expired', 'have expired'],
    ['InvalidParameterException', 'what is this', 'look at AWS’s status page'],
  ])('says what to mend when ECR answers %s: %s', async (type, message, remedy) => {
    ambient();
    answers.GetAuthorizationToken = failure(type, message);
    const [surroundings] = sources({});
    await expect(surroundings?.find(HOST, world.signal)).rejects.toMatchObject({
      message: `ECR gives no password to AWS’s environment variables, access key AKIDEXAMPLE: ${message}`,
      remedy: expect.stringContaining(remedy),
    });
  });

  it('says that AWS answered without a password', async () => {
    ambient();
    answers.GetAuthorizationToken = [200, '{"authorizationData":[]}'];
    const [surroundings] = sources({});
    await expect(surroundings?.find(HOST, world.signal)).rejects.toThrow('answered without a password');
  });

  describe('ensuring a repository on ECR', () => {
    const missing = failure('RepositoryNotFoundException', 'not there');
    const exists: Answer = [200, '{"repositories":[{}]}'];
    const created: Answer = [200, '{"repository":{}}'];
    const denied = (action: string) =>
      failure('AccessDeniedException', `User: x is not authorized to perform: ecr:${action} on resource: y`);

    it.each<[string, Record<string, Answer>, string, string[]]>([
      ['leaves one that exists', { DescribeRepositories: exists }, 'exists', ['DescribeRepositories']],
      [
        'creates one that is missing',
        { DescribeRepositories: missing, CreateRepository: created },
        'created',
        ['DescribeRepositories', 'CreateRepository'],
      ],
      [
        'is content with one that another job created',
        { DescribeRepositories: missing, CreateRepository: failure('RepositoryAlreadyExistsException', 'x') },
        'exists',
        ['DescribeRepositories', 'CreateRepository'],
      ],
      [
        'creates where it may not look',
        { DescribeRepositories: denied('DescribeRepositories'), CreateRepository: created },
        'created',
        ['DescribeRepositories', 'CreateRepository'],
      ],
    ])('%s', async (_what, given, outcome, operations) => {
      ambient();
      Object.assign(answers, given);
      expect(await ensure(sources({})[0])).toBe(outcome);
      expect(seen.map(({ operation }) => operation)).toEqual(operations);
      const creation = seen.find(({ operation }) => operation === 'CreateRepository');
      if (creation === undefined) return;
      expect(JSON.parse(creation.body)).toEqual({
        registryId: '123456789012',
        repositoryName: 'team/hello',
        imageScanningConfiguration: { scanOnPush: true },
      });
    });

    it('names the action that is missing', async () => {
      ambient();
      Object.assign(answers, { DescribeRepositories: missing, CreateRepository: denied('CreateRepository') });
      await expect(ensure(sources({})[0])).rejects.toMatchObject({
        message: expect.stringContaining('ECR does not create the repository team/hello'),
        remedy: expect.stringContaining('Allow ecr:CreateRepository'),
      });
    });

    it('says that nobody is there to create it', async () => {
      await expect(ensure(sources({})[0])).rejects.toThrow('there are no credentials of AWS');
    });
  });

  describe('ECR Public', () => {
    const PUBLIC = 'public.ecr.aws';

    it('gives its one password', async () => {
      ambient();
      answers.GetAuthorizationToken = [200, JSON.stringify({ authorizationData: { authorizationToken: TOKEN } })];
      const [surroundings] = ecrPublicSources(someRegistryInputs(), providerWorld());
      expect(await surroundings?.find(PUBLIC, world.signal)).toMatchObject({
        username: 'AWS',
        password: 'registry-password',
      });
    });

    it.each<[string, string]>([
      ['public.ecr.aws/team/hello', 'created'],
      ['public.ecr.aws/others/hello', 'was created in the registry others, but the image names team'],
    ])('creates a repository, which is then called %s', async (repositoryUri, outcome) => {
      ambient();
      answers.DescribeRepositories = failure('RepositoryNotFoundException', 'not there');
      answers.CreateRepository = [200, JSON.stringify({ repository: { repositoryUri } })];
      const [surroundings] = ecrPublicSources(someRegistryInputs(), providerWorld());
      const ensuring = ensure(surroundings, PUBLIC).catch((error: unknown) =>
        error instanceof Error ? error.message : '',
      );
      expect(await ensuring).toContain(outcome);
      expect(JSON.parse(seen[1]?.body ?? '')).toEqual({ repositoryName: 'hello' });
    });
  });

  function sources(written: Partial<RegistryInputs>, host = HOST): CredentialSource[] {
    const owner = decideRegistryHost(host, 'auto', {});
    if (owner.kind !== 'ecr') throw new Error(`${host} is no host of ECR`);
    return ecrSources(owner, someRegistryInputs(written), providerWorld());
  }

  function providerWorld() {
    return { ...world, env, fetch };
  }

  function ensure(source: CredentialSource | undefined, host = HOST) {
    return (
      source?.ensureRepository?.({ host, path: 'team/hello' }, world.signal) ?? Promise.reject(new Error('no source'))
    );
  }

  function ambient(): void {
    const keys = { AWS_ACCESS_KEY_ID: 'AKIDEXAMPLE', AWS_SECRET_ACCESS_KEY: 'ambient-secret' };
    for (const [name, value] of Object.entries(keys)) vi.stubEnv(name, value);
    env = { ...env, ...keys };
  }
});

function failure(type: string, message: string): Answer {
  return [400, JSON.stringify({ __type: type, message })];
}

function refusal(code: string, message: string): Answer {
  return [
    403,
    `<ErrorResponse><Error><Type>Sender</Type><Code>${code}</Code><Message>${message}</Message></Error></ErrorResponse>`,
  ];
}

function assumed(): string {
  return `<AssumeRoleWithWebIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><AssumeRoleWithWebIdentityResult>
<AssumedRoleUser><AssumedRoleId>A:x</AssumedRoleId><Arn>arn:aws:sts::123456789012:assumed-role/deploy/x</Arn></AssumedRoleUser>
<Credentials><AccessKeyId>ASIAEXAMPLE</AccessKeyId><SecretAccessKey>secret-key</SecretAccessKey><SessionToken>session-token</SessionToken>
<Expiration>2099-01-01T00:00:00Z</Expiration></Credentials></AssumeRoleWithWebIdentityResult></AssumeRoleWithWebIdentityResponse>`;
}
