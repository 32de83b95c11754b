import { randomUUID } from 'node:crypto';
import { exportJWK, generateKeyPair, type JWTPayload, jwtVerify, SignJWT } from 'jose';
import { bearerOf, type Cloud, json, notFound } from './cloud.ts';
import type { Minted } from './minted.ts';

export const ISSUER = 'https://token.actions.githubusercontent.com';
const PIPELINES = 'pipelines.actions.githubusercontent.com';
const PATH = '/acme/_apis/distributedtask/hubs/Actions/plans/1/jobs/2/idtoken';

/** GitHub's issuer of OIDC tokens, and the service that hands a job its own. */
export interface GitHub {
  readonly clouds: readonly Cloud[];
  /** What a job with `id-token: write` finds in its environment. */
  readonly env: Readonly<Record<string, string>>;
  /** The `sub` of the tokens; may be set. */
  subject: string;
  /**
   * As a cloud checks a token: signature, issuer, time.
   *
   * @returns its claims; the text of what is wrong with it otherwise.
   */
  verify(token: string): Promise<JWTPayload | string>;
}

/** The subject of a push to main in acme/hello. */
export const SUBJECT = 'repo:acme/hello:ref:refs/heads/main';

export async function startGitHub(minted: Minted): Promise<GitHub> {
  const { publicKey, privateKey } = await generateKeyPair('RS256');
  const requestToken = minted.make('eyJ.request.');
  const kid = randomUUID();
  const sign = (audience: string) =>
    new SignJWT({
      ...CLAIMS,
      jti: randomUUID(),
    })
      .setProtectedHeader({ typ: 'JWT', alg: 'RS256', kid })
      .setIssuer(ISSUER)
      .setSubject(github.subject)
      .setAudience(audience)
      .setIssuedAt()
      .setNotBefore('-10 s')
      .setExpirationTime('5 min')
      .sign(privateKey);
  const github: GitHub = {
    subject: SUBJECT,
    env: {
      ACTIONS_ID_TOKEN_REQUEST_URL: `https://${PIPELINES}${PATH}?api-version=2.0`,
      ACTIONS_ID_TOKEN_REQUEST_TOKEN: requestToken,
    },
    clouds: [
      {
        hosts: [PIPELINES],
        async reply(request) {
          if (request.url.pathname !== PATH || request.url.searchParams.get('api-version') !== '2.0') return notFound;
          if (bearerOf(request) !== requestToken) return json(401, { message: 'Bad credentials' });
          const audience = request.url.searchParams.get('audience') ?? 'https://github.com/acme';
          return json(200, { count: 1, value: minted.note(await sign(audience)) });
        },
      },
      {
        hosts: [new URL(ISSUER).host],
        async reply({ url }) {
          if (url.pathname === '/.well-known/jwks') {
            const key = await exportJWK(publicKey);
            return json(200, { keys: [{ ...key, kid, use: 'sig', alg: 'RS256' }] });
          }
          if (url.pathname !== '/.well-known/openid-configuration') return notFound;
          return json(200, { issuer: ISSUER, jwks_uri: `${ISSUER}/.well-known/jwks` });
        },
      },
    ],
    async verify(token) {
      try {
        const { payload } = await jwtVerify(token, publicKey, { issuer: ISSUER, algorithms: ['RS256'] });
        return payload;
      } catch (error) {
        return error instanceof Error ? error.message : String(error);
      }
    },
  };
  return github;
}

const CLAIMS = {
  ref: 'refs/heads/main',
  repository: 'acme/hello',
  repository_owner: 'acme',
  repository_owner_id: '1001',
  repository_id: '2002',
  repository_visibility: 'private',
  run_id: '4711',
  run_number: '42',
  run_attempt: '1',
  actor: 'ford',
  actor_id: '3003',
  workflow: 'Deploy flows',
  event_name: 'push',
  ref_protected: 'true',
  ref_type: 'branch',
  workflow_ref: 'acme/hello/.github/workflows/deploy.yml@refs/heads/main',
  job_workflow_ref: 'acme/hello/.github/workflows/deploy.yml@refs/heads/main',
  runner_environment: 'github-hosted',
};
