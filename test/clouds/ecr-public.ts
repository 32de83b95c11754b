import * as z from 'zod';
import { type AwsSts, awsError, type Caller } from './aws-sts.ts';
import { type BearerRegistry, startBearerRegistry } from './bearer-registry.ts';
import { type Cloud, type CloudAnswer, json, notFound, registryError } from './cloud.ts';
import type { Minted } from './minted.ts';

/** The gallery's registry of one account, whose images are `public.ecr.aws/acme/…`. */
export interface EcrPublic {
  readonly clouds: readonly Cloud[];
  readonly host: string;
  /** Names without the alias. */
  readonly repositories: Set<string>;
  readonly registry: BearerRegistry;
}

const HOST = 'public.ecr.aws';
const ALIAS = 'acme';
const REGION = 'us-east-1';
const TARGET = 'SpencerFrontendService.';
const Body = z.looseObject({
  repositoryName: z.string().optional(),
  repositoryNames: z.array(z.string()).optional(),
});

export function startEcrPublic(sts: AwsSts, minted: Minted): EcrPublic {
  const repositories = new Set<string>();
  const passwords = new Map<string, Caller>();
  const arn = (name: string) => `arn:aws:ecr-public::123456789012:repository/${name}`;
  const missing = (name: string) =>
    `The repository with name '${name}' does not exist in the registry with id '123456789012'`;
  const shown = (name: string) => ({
    repositoryArn: arn(name),
    registryId: '123456789012',
    repositoryName: name,
    repositoryUri: `${HOST}/${ALIAS}/${name}`,
    createdAt: Date.now() / 1000,
  });
  const operations: Readonly<Record<string, (caller: Caller, body: z.infer<typeof Body>) => CloudAnswer>> = {
    GetAuthorizationToken(caller) {
      const refusal =
        caller.refusal('ecr-public:GetAuthorizationToken', '*') ?? caller.refusal('sts:GetServiceBearerToken', '*');
      if (refusal !== undefined) return refusal;
      const password = minted.make('eyJwYXlsb2FkIjoi');
      passwords.set(password, caller);
      const authorizationToken = minted.note(Buffer.from(`AWS:${password}`).toString('base64'));
      return ok({ authorizationData: { authorizationToken, expiresAt: Date.now() / 1000 + 12 * 3600 } });
    },
    DescribeRepositories(caller, { repositoryNames: [name = ''] = [] }) {
      const refusal = caller.refusal('ecr-public:DescribeRepositories', arn(name));
      if (refusal !== undefined) return refusal;
      if (!repositories.has(name)) return awsError('RepositoryNotFoundException', missing(name));
      return ok({ repositories: [shown(name)] });
    },
    CreateRepository(caller, { repositoryName: name = '' }) {
      const refusal = caller.refusal('ecr-public:CreateRepository', arn(name));
      if (refusal !== undefined) return refusal;
      if (repositories.has(name)) return awsError('RepositoryAlreadyExistsException', 'The repository already exists');
      repositories.add(name);
      return ok({ repository: shown(name) });
    },
  };
  const api: Cloud = {
    hosts: [`api.ecr-public.${REGION}.amazonaws.com`],
    async reply(request) {
      const operation = operations[(request.headers['x-amz-target'] ?? '').replace(TARGET, '')];
      if (request.method !== 'POST' || operation === undefined) return notFound;
      const caller = await sts.callerOf(request, 'ecr-public', REGION);
      return 'status' in caller ? caller : operation(caller, Body.parse(JSON.parse(await request.text())));
    },
  };
  const registry = startBearerRegistry(
    {
      realm: `https://${HOST}/token/`,
      service: HOST,
      takesPost: false,
      signIn(signIn) {
        const caller = signIn.kind === 'password' && signIn.username === 'AWS' && passwords.get(signIn.password);
        if (!caller) return registryError(401, 'UNAUTHORIZED', 'authentication required');
        return {
          may: (action) => action === 'pull' || caller.refusal('ecr-public:PutImage', '*') === undefined,
        };
      },
      denied: () => registryError(403, 'DENIED', 'Not Authorized'),
      missing(repository) {
        const name = repository.startsWith(`${ALIAS}/`) ? repository.slice(ALIAS.length + 1) : '';
        return repositories.has(name) ? undefined : registryError(404, 'NAME_UNKNOWN', missing(name));
      },
    },
    minted,
  );
  const front: Cloud = {
    hosts: [HOST],
    reply: (request) => (request.url.pathname === '/token/' ? registry.token(request) : registry.registry(request)),
  };
  return { clouds: [api, front], host: HOST, repositories, registry };
}

function ok(value: unknown): CloudAnswer {
  return json(200, value, { 'content-type': 'application/x-amz-json-1.1' });
}
