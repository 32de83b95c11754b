import { randomUUID } from 'node:crypto';
import { readSignature } from './aws-signature.ts';
import { type Cloud, type CloudAnswer, type CloudRequest, json } from './cloud.ts';
import type { GitHub } from './github.ts';
import type { Minted } from './minted.ts';

export const ACCOUNT = '123456789012';

/** A role that GitHub's tokens may assume. Its fields may be set. */
export interface AwsRole {
  readonly arn: string;
  audience: string;
  subject: string;
  /** IAM actions, e.g. `ecr:PutImage`. */
  readonly actions: Set<string>;
}

/** Keys of a role's session. */
export interface AwsKeys {
  readonly accessKeyId: string;
  readonly secretKey: string;
  readonly token: string;
}

interface Session {
  readonly role: AwsRole;
  readonly name: string;
  readonly secretKey: string;
  readonly token: string;
}

/** Who calls, as an AWS API sees it. */
export interface Caller {
  /** Refuses in the words of IAM unless the role may do it. */
  refusal(action: string, resource: string): CloudAnswer | undefined;
}

/** AWS's Security Token Service in some regions, and the identity of who signs with what it gave. */
export interface AwsSts {
  readonly cloud: Cloud;
  readonly roles: readonly AwsRole[];
  /** A session of a role without a sign-in, as a machine or an earlier step of a job has it. */
  issue(role: AwsRole, name: string): AwsKeys;
  callerOfRole(role: AwsRole): Caller;
  /** @returns the caller, or the API's answer to a signature that is not good. */
  callerOf(request: CloudRequest, service: string, region: string): Promise<Caller | CloudAnswer>;
}

export function startAwsSts(
  hosts: readonly string[],
  roles: readonly AwsRole[],
  github: GitHub,
  minted: Minted,
): AwsSts {
  const sessions = new Map<string, Session>();

  const issue = (role: AwsRole, name: string): AwsKeys => {
    const accessKeyId = `ASIA${randomUUID().replaceAll('-', '').slice(0, 16).toUpperCase()}`;
    const session: Session = { role, name, secretKey: minted.make(''), token: minted.make('IQoJb3JpZ2lu') };
    sessions.set(accessKeyId, session);
    return { accessKeyId, secretKey: session.secretKey, token: session.token };
  };

  const assume = async (form: URLSearchParams): Promise<CloudAnswer> => {
    if (form.get('Action') !== 'AssumeRoleWithWebIdentity' || form.get('Version') !== '2011-06-15')
      return refuse(400, 'InvalidAction', `Could not find operation ${form.get('Action')}`);
    const claims = await github.verify(form.get('WebIdentityToken') ?? '');
    if (typeof claims === 'string')
      return claims.includes('exp')
        ? refuse(
            400,
            'ExpiredTokenException',
            'Token expired: current date/time must be before the expiration date/time',
          )
        : refuse(400, 'InvalidIdentityToken', "Couldn't retrieve verification key from your identity provider");
    const role = roles.find(({ arn }) => arn === form.get('RoleArn'));
    if (role !== undefined && claims.aud !== role.audience)
      return refuse(400, 'InvalidIdentityToken', 'Incorrect token audience');
    if (role === undefined || claims.sub !== role.subject)
      return refuse(403, 'AccessDenied', 'Not authorized to perform sts:AssumeRoleWithWebIdentity');
    const name = form.get('RoleSessionName') ?? '';
    const { accessKeyId, secretKey, token } = issue(role, name);
    const expiration = new Date(Date.now() + 1000 * Number(form.get('DurationSeconds') ?? 3600)).toISOString();
    return xml(
      200,
      `<AssumeRoleWithWebIdentityResponse xmlns="${NAMESPACE}"><AssumeRoleWithWebIdentityResult>
<Audience>${role.audience}</Audience><Provider>arn:aws:iam::${ACCOUNT}:oidc-provider/token.actions.githubusercontent.com</Provider>
<SubjectFromWebIdentityToken>${role.subject}</SubjectFromWebIdentityToken>
<AssumedRoleUser><AssumedRoleId>AROAEXAMPLE:${name}</AssumedRoleId><Arn>${userArn({ role, name })}</Arn></AssumedRoleUser>
<Credentials><AccessKeyId>${accessKeyId}</AccessKeyId><SecretAccessKey>${secretKey}</SecretAccessKey>
<SessionToken>${token}</SessionToken><Expiration>${expiration}</Expiration></Credentials>
</AssumeRoleWithWebIdentityResult>${requestId()}</AssumeRoleWithWebIdentityResponse>`,
    );
  };

  return {
    roles,
    issue,
    callerOfRole: (role) => callerWith({ role, name: 'test' }),
    cloud: {
      hosts,
      async reply(request) {
        return await assume(new URLSearchParams(await request.text()));
      },
    },
    async callerOf(request, service, region) {
      const signature = readSignature(request, await request.text());
      if (signature === undefined)
        return awsError('MissingAuthenticationTokenException', 'Missing Authentication Token');
      const session = sessions.get(signature.accessKeyId);
      if (session === undefined || session.token !== signature.sessionToken)
        return awsError('UnrecognizedClientException', 'The security token included in the request is invalid.');
      if (!signature.isMadeWith(session.secretKey) || signature.service !== service || signature.region !== region)
        return awsError('InvalidSignatureException', 'The request signature we calculated does not match.');
      return callerWith(session);
    },
  };
}

const NAMESPACE = 'https://sts.amazonaws.com/doc/2011-06-15/';

function userArn({ role, name }: Pick<Session, 'role' | 'name'>): string {
  const [, partition, , , account, path] = /^arn:([^:]+):(iam):()(\d+):role\/(.+)$/.exec(role.arn) ?? [];
  return `arn:${partition}:sts::${account}:assumed-role/${path}/${name}`;
}

function callerWith(session: Pick<Session, 'role' | 'name'>): Caller {
  return {
    refusal(action, resource) {
      if (session.role.actions.has(action)) return undefined;
      const because = `because no identity-based policy allows the ${action} action`;
      const message = `User: ${userArn(session)} is not authorized to perform: ${action} on resource: ${resource} ${because}`;
      return awsError('AccessDeniedException', message);
    },
  };
}

/** The error form of AWS's JSON protocols. */
export function awsError(type: string, message: string): CloudAnswer {
  return json(400, { __type: type, message }, { 'content-type': 'application/x-amz-json-1.1' });
}

function refuse(status: number, code: string, message: string): CloudAnswer {
  const error = `<Error><Type>Sender</Type><Code>${code}</Code><Message>${message}</Message></Error>`;
  return xml(status, `<ErrorResponse xmlns="${NAMESPACE}">${error}${requestId()}</ErrorResponse>`);
}

function requestId(): string {
  return `<ResponseMetadata><RequestId>${randomUUID()}</RequestId></ResponseMetadata>`;
}

function xml(status: number, body: string): CloudAnswer {
  return { status, headers: { 'content-type': 'text/xml' }, body };
}
