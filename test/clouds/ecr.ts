import * as z from 'zod';
import { ACCOUNT, type AwsSts, awsError, type Caller } from './aws-sts.ts';
import {
  basicOf,
  type Cloud,
  type CloudAnswer,
  type CloudRequest,
  json,
  notFound,
  type Reply,
  registryError,
  registryPath,
} from './cloud.ts';
import type { Minted } from './minted.ts';

/** A repository as it was made. */
export interface EcrRepository {
  readonly scanOnPush: boolean;
  readonly tagMutability: string;
}

/** One region's private registry. Its fields may be set. */
export interface Ecr {
  readonly clouds: readonly Cloud[];
  /** `123456789012.dkr.ecr.REGION.amazonaws.com` */
  readonly host: string;
  readonly repositories: Map<string, EcrRepository>;
  /** A password for whoever acts as a role, as an earlier step of a job may have got one. */
  issue(caller: Caller): string;
  /** Ends all passwords that were handed out. */
  expire(): void;
}

const Body = z.looseObject({
  registryId: z.string().optional(),
  registryIds: z.array(z.string()).optional(),
  repositoryName: z.string().optional(),
  repositoryNames: z.array(z.string()).optional(),
  imageTagMutability: z.string().optional(),
  imageScanningConfiguration: z.looseObject({ scanOnPush: z.boolean().optional() }).optional(),
});
type Body = z.infer<typeof Body>;

const TARGET = 'AmazonEC2ContainerRegistry_V20150921.';

/**
 * @param region e.g. `us-east-1`.
 * @param suffix of the partition: `amazonaws.com`, `amazonaws.com.cn`.
 * @param fips the FIPS endpoints of the region instead of the usual ones.
 */
export function startEcr(sts: AwsSts, minted: Minted, region: string, suffix = 'amazonaws.com', fips = ''): Ecr {
  const host = `${ACCOUNT}.dkr.ecr${fips}.${region}.${suffix}`;
  const repositories = new Map<string, EcrRepository>();
  const passwords = new Map<string, { readonly caller: Caller; live: boolean }>();

  const issue = (caller: Caller): string => {
    const password = minted.make('eyJwYXlsb2FkIjoi');
    passwords.set(password, { caller, live: true });
    return password;
  };
  const arn = (name: string): string => {
    const partition = suffix.endsWith('.cn') ? 'aws-cn' : region.startsWith('us-gov-') ? 'aws-us-gov' : 'aws';
    return `arn:${partition}:ecr:${region}:${ACCOUNT}:repository/${name}`;
  };
  const missing = (name: string): string =>
    `The repository with name '${name}' does not exist in the registry with id '${ACCOUNT}'`;
  const shown = (name: string, { scanOnPush, tagMutability }: EcrRepository) => ({
    repositoryArn: arn(name),
    registryId: ACCOUNT,
    repositoryName: name,
    repositoryUri: `${host}/${name}`,
    createdAt: Date.now() / 1000,
    imageTagMutability: tagMutability,
    imageScanningConfiguration: { scanOnPush },
  });

  const operations: Readonly<Record<string, (caller: Caller, body: Body) => CloudAnswer>> = {
    GetAuthorizationToken(caller) {
      const refusal = caller.refusal('ecr:GetAuthorizationToken', '*');
      if (refusal !== undefined) return refusal;
      const password = issue(caller);
      const authorizationToken = minted.note(Buffer.from(`AWS:${password}`).toString('base64'));
      const expiresAt = Date.now() / 1000 + 12 * 3600;
      return ok({ authorizationData: [{ authorizationToken, expiresAt, proxyEndpoint: `https://${host}` }] });
    },
    DescribeRepositories(caller, { repositoryNames: [name = ''] = [] }) {
      const refusal = caller.refusal('ecr:DescribeRepositories', arn(name));
      if (refusal !== undefined) return refusal;
      const repository = repositories.get(name);
      if (repository === undefined) return awsError('RepositoryNotFoundException', missing(name));
      return ok({ repositories: [shown(name, repository)] });
    },
    CreateRepository(caller, body) {
      const name = body.repositoryName ?? '';
      const refusal = caller.refusal('ecr:CreateRepository', arn(name));
      if (refusal !== undefined) return refusal;
      if (repositories.has(name)) {
        const message = `The repository with name '${name}' already exists in the registry with id '${ACCOUNT}'`;
        return awsError('RepositoryAlreadyExistsException', message);
      }
      const made = {
        scanOnPush: body.imageScanningConfiguration?.scanOnPush ?? false,
        tagMutability: body.imageTagMutability ?? 'MUTABLE',
      };
      repositories.set(name, made);
      return ok({ repository: shown(name, made) });
    },
  };

  const api: Cloud = {
    hosts: [`api.ecr${fips}.${region}.${suffix}`],
    async reply(request) {
      const operation = operations[(request.headers['x-amz-target'] ?? '').replace(TARGET, '')];
      if (request.method !== 'POST' || operation === undefined) return notFound;
      const caller = await sts.callerOf(request, 'ecr', region);
      if ('status' in caller) return caller;
      const body = Body.parse(JSON.parse(await request.text()));
      const registry = body.registryId ?? body.registryIds?.[0] ?? ACCOUNT;
      if (registry !== ACCOUNT) return awsError('InvalidParameterException', `Invalid registry ${registry}`);
      return operation(caller, body);
    },
  };
  const registry: Cloud = {
    hosts: [host],
    reply(request): Reply {
      const basic = basicOf(request);
      const realm = { 'www-authenticate': `Basic realm="https://${host}/",service="ecr.amazonaws.com"` };
      if (basic === undefined) return { status: 401, headers: realm, body: 'Not Authorized\n' };
      const password = basic.username === 'AWS' ? passwords.get(basic.password) : undefined;
      if (password === undefined) return { status: 400, body: 'Your Authorization Token is invalid.' };
      if (!password.live)
        return registryError(403, 'DENIED', 'Your authorization token has expired. Reauthenticate and try again.');
      const path = registryPath(request.url);
      if (path === undefined) return 'registry';
      const action = actionOf(request, path.kind);
      const refusal = password.caller.refusal(action, arn(path.repository));
      if (refusal !== undefined) {
        const { message } = z.object({ message: z.string() }).parse(JSON.parse(refusal.body ?? ''));
        return registryError(403, 'DENIED', message);
      }
      if (!repositories.has(path.repository)) return registryError(404, 'NAME_UNKNOWN', missing(path.repository));
      return 'registry';
    },
  };
  return {
    clouds: [api, registry],
    host,
    repositories,
    issue,
    expire() {
      for (const password of passwords.values()) password.live = false;
    },
  };
}

/** The IAM action behind a request of the registry protocol. */
function actionOf({ method, url }: CloudRequest, kind: 'manifests' | 'blobs' | 'tags'): string {
  if (kind === 'manifests') return method === 'PUT' ? 'ecr:PutImage' : 'ecr:BatchGetImage';
  if (!url.pathname.includes('/blobs/uploads/'))
    return method === 'HEAD' ? 'ecr:BatchCheckLayerAvailability' : 'ecr:GetDownloadUrlForLayer';
  if (method === 'POST') return 'ecr:InitiateLayerUpload';
  return method === 'PUT' ? 'ecr:CompleteLayerUpload' : 'ecr:UploadLayerPart';
}

function ok(value: unknown): CloudAnswer {
  return json(200, value, { 'content-type': 'application/x-amz-json-1.1' });
}
