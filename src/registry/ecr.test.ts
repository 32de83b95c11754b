import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { someRegistryInputs } from '../inputs/testing-registry.ts';
import { openTestWorld, type TestWorld } from '../source/testing-world.ts';
import { ecrSources } from './ecr.ts';
import { ecrPublicSources } from './ecr-public.ts';
import type { CredentialSource } from './model.ts';
import { type AwsAnswer, ecrError, KEYS, type PlayedAws, playAws, TOKEN } from './testing-aws.ts';

const HOST = '123456789012.dkr.ecr.eu-west-1.amazonaws.com';
const OWNER = {
  kind: 'ecr',
  partition: 'aws',
  region: 'eu-west-1',
  account: '123456789012',
  fips: false,
  dualStack: false,
} as const;

/** By AWS's real clients, with the keys of the environment; whole pushes are shown in test/e2e/clouds.test.ts. */
describe('ECR', () => {
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
    aws.answers.GetAuthorizationToken = [ecrError(type, message)];
    const [surroundings] = sources();
    await expect(surroundings?.find(HOST, world.signal)).rejects.toMatchObject({
      message: `ECR gives no password to AWS’s environment variables, access key AKIDEXAMPLE: ${message}`,
      remedy: expect.stringContaining(remedy),
    });
  });

  it('says that AWS answered without a password', async () => {
    ambient();
    aws.answers.GetAuthorizationToken = [[200, '{"authorizationData":[]}']];
    const [surroundings] = sources();
    await expect(surroundings?.find(HOST, world.signal)).rejects.toThrow('answered without a password');
  });

  describe('ensuring a repository on ECR', () => {
    const missing = ecrError('RepositoryNotFoundException', 'not there');
    const exists: AwsAnswer = [200, '{"repositories":[{}]}'];
    const created: AwsAnswer = [200, '{"repository":{}}'];
    const denied = (action: string) =>
      ecrError('AccessDeniedException', `User: x is not authorized to perform: ecr:${action} on resource: y`);

    it.each<[string, Record<string, AwsAnswer>, string, string[]]>([
      ['leaves one that exists', { DescribeRepositories: exists }, 'exists', ['DescribeRepositories']],
      [
        'creates one that is missing',
        { DescribeRepositories: missing, CreateRepository: created },
        'created',
        ['DescribeRepositories', 'CreateRepository'],
      ],
      [
        'is content with one that another job created',
        { DescribeRepositories: missing, CreateRepository: ecrError('RepositoryAlreadyExistsException', 'x') },
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
      for (const [operation, answer] of Object.entries(given)) aws.answers[operation] = [answer];
      expect(await ensure(sources()[0])).toBe(outcome);
      expect(aws.seen.map(({ operation }) => operation)).toEqual(operations);
      const creation = aws.seen.find(({ operation }) => operation === 'CreateRepository');
      if (creation === undefined) return;
      expect(JSON.parse(creation.body)).toEqual({
        registryId: '123456789012',
        repositoryName: 'team/hello',
        imageScanningConfiguration: { scanOnPush: true },
      });
    });

    it('names the action that is missing', async () => {
      ambient();
      aws.answers.DescribeRepositories = [missing];
      aws.answers.CreateRepository = [denied('CreateRepository')];
      await expect(ensure(sources()[0])).rejects.toMatchObject({
        message: expect.stringContaining('ECR does not create the repository team/hello'),
        remedy: expect.stringContaining('Allow ecr:CreateRepository'),
      });
    });

    it('says that nobody is there to create it', async () => {
      await expect(ensure(sources()[0])).rejects.toThrow('there are no credentials of AWS');
    });
  });

  describe('ECR Public', () => {
    const PUBLIC = 'public.ecr.aws';

    it('gives its one password', async () => {
      ambient();
      aws.answers.GetAuthorizationToken = [[200, JSON.stringify({ authorizationData: { authorizationToken: TOKEN } })]];
      const [surroundings] = ecrPublicSources(someRegistryInputs(), { ...world, env, fetch });
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
      aws.answers.DescribeRepositories = [ecrError('RepositoryNotFoundException', 'not there')];
      aws.answers.CreateRepository = [[200, JSON.stringify({ repository: { repositoryUri } })]];
      const [surroundings] = ecrPublicSources(someRegistryInputs(), { ...world, env, fetch });
      const ensuring = ensure(surroundings, PUBLIC).catch((error: unknown) =>
        error instanceof Error ? error.message : '',
      );
      expect(await ensuring).toContain(outcome);
      expect(JSON.parse(aws.seen[1]?.body ?? '')).toEqual({ repositoryName: 'hello' });
    });
  });

  function sources(): CredentialSource[] {
    return ecrSources(OWNER, someRegistryInputs(), { ...world, env, fetch });
  }

  function ensure(source: CredentialSource | undefined, host = HOST) {
    return (
      source?.ensureRepository?.({ host, path: 'team/hello' }, world.signal) ?? Promise.reject(new Error('no source'))
    );
  }

  function ambient(): void {
    for (const [name, value] of Object.entries(KEYS)) vi.stubEnv(name, value);
    env = { ...env, ...KEYS };
  }
});
