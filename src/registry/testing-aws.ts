import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';

/** Status and body. */
export type AwsAnswer = readonly [status: number, body: string];

/** GitHub's OIDC endpoint, STS and ECR as one server of our own that AWS's real clients are led to by AWS's own variables. */
export interface PlayedAws {
  /** By operation (`AssumeRoleWithWebIdentity`, `oidc`); several are given one after the other. Good ones to begin with. */
  readonly answers: Record<string, readonly AwsAnswer[]>;
  readonly seen: { operation: string; body: string }[];
  /** For the job's environment: it may ask for an OIDC token. */
  readonly jobEnv: Readonly<Record<string, string>>;
  /** For this process's environment, which AWS's library reads by itself: nothing but these endpoints. */
  readonly processEnv: Readonly<Record<string, string | undefined>>;
  close(): Promise<void>;
}

export const CLAIMS = {
  sub: 'repo:acme/hello:ref:refs/heads/main',
  aud: 'sts.amazonaws.com',
  iss: 'https://issuer.example',
} as const;
export const OIDC = ['e30', Buffer.from(JSON.stringify(CLAIMS)).toString('base64url'), 'signature'].join('.');
/** What ECR gives for the password `registry-password`. */
export const TOKEN = Buffer.from('AWS:registry-password').toString('base64');
export const KEYS = { AWS_ACCESS_KEY_ID: 'AKIDEXAMPLE', AWS_SECRET_ACCESS_KEY: 'ambient-secret' } as const;

export async function playAws(): Promise<PlayedAws> {
  const seen: PlayedAws['seen'] = [];
  const answers: PlayedAws['answers'] = {
    oidc: [[200, JSON.stringify({ value: OIDC })]],
    AssumeRoleWithWebIdentity: [[200, ASSUMED]],
    GetAuthorizationToken: [[200, JSON.stringify({ authorizationData: [{ authorizationToken: TOKEN }] })]],
  };
  const server = createServer((request, response) => {
    void text(request).then((body) => {
      const target = String(request.headers['x-amz-target'] ?? '').split('.')[1];
      const operation = target ?? new URLSearchParams(body).get('Action') ?? 'oidc';
      const times = seen.filter((one) => one.operation === operation).length;
      seen.push({ operation, body });
      const given = answers[operation] ?? [];
      const [status, content] = given[Math.min(times, given.length - 1)] ?? [404, ''];
      const type = content.startsWith('<') ? 'text/xml' : 'application/x-amz-json-1.1';
      response.writeHead(status, { 'content-type': type }).end(content);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    answers,
    seen,
    jobEnv: { ACTIONS_ID_TOKEN_REQUEST_URL: `${url}/oidc?v=1`, ACTIONS_ID_TOKEN_REQUEST_TOKEN: 'request-token' },
    processEnv: {
      AWS_ENDPOINT_URL_STS: url,
      AWS_ENDPOINT_URL_ECR: url,
      AWS_ENDPOINT_URL_ECR_PUBLIC: url,
      AWS_EC2_METADATA_DISABLED: 'true',
      AWS_CONFIG_FILE: '/nowhere',
      AWS_SHARED_CREDENTIALS_FILE: '/nowhere',
      AWS_ACCESS_KEY_ID: undefined,
      AWS_SECRET_ACCESS_KEY: undefined,
      AWS_SESSION_TOKEN: undefined,
      AWS_PROFILE: undefined,
      AWS_WEB_IDENTITY_TOKEN_FILE: undefined,
    },
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** ECR's form of an error. */
export function ecrError(type: string, message: string): AwsAnswer {
  return [400, JSON.stringify({ __type: type, message })];
}

/** STS's form of an error. */
export function stsError(code: string, message: string): AwsAnswer {
  const error = `<Error><Type>Sender</Type><Code>${code}</Code><Message>${message}</Message></Error>`;
  return [403, `<ErrorResponse>${error}</ErrorResponse>`];
}

export const ASSUMED = `<AssumeRoleWithWebIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><AssumeRoleWithWebIdentityResult>
<AssumedRoleUser><AssumedRoleId>A:x</AssumedRoleId><Arn>arn:aws:sts::123456789012:assumed-role/deploy/x</Arn></AssumedRoleUser>
<Credentials><AccessKeyId>ASIAEXAMPLE</AccessKeyId><SecretAccessKey>secret-key</SecretAccessKey><SessionToken>session-token</SessionToken>
<Expiration>2099-01-01T00:00:00Z</Expiration></Credentials></AssumeRoleWithWebIdentityResult></AssumeRoleWithWebIdentityResponse>`;
