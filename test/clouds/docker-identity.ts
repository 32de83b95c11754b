import { type Cloud, json, notFound } from './cloud.ts';
import type { GitHub } from './github.ts';
import type { Minted } from './minted.ts';

/** An organisation's OIDC connection. */
export const CONNECTION = '77777777-8888-4999-8000-111111111111';

/** Docker's own token service, for the organisation `acme`. */
export interface DockerIdentity {
  readonly cloud: Cloud;
  /** The ruleset of the connection: the one subject it takes. May be set. */
  subject: string;
  /** Whether it handed out this access token. */
  knows(token: string): boolean;
}

const HOST = 'identity.docker.com';
const GRANT = 'urn:ietf:params:oauth:grant-type:token-exchange';
const ID_TOKEN = 'urn:ietf:params:oauth:token-type:id_token';

export function startDockerIdentity(github: GitHub, minted: Minted): DockerIdentity {
  const tokens = new Set<string>();
  const refuse = (error: string, error_description: string) => json(403, { error, error_description });
  const identity: DockerIdentity = {
    subject: github.subject,
    knows: (token) => tokens.has(token),
    cloud: {
      hosts: [HOST],
      async reply(request) {
        if (request.method !== 'POST' || request.url.pathname !== '/oauth/token') return notFound;
        const form = new URLSearchParams(await request.text());
        if (form.get('grant_type') !== GRANT || form.get('subject_token_type') !== ID_TOKEN)
          return json(400, { error: 'unsupported_grant_type' });
        if (form.get('connection_id') !== CONNECTION) return refuse('access_denied', 'connection not found');
        const lifetime = Number(form.get('expires_in') ?? 300);
        if (lifetime < 300 || lifetime > 3600) return json(400, { error: 'invalid_request' });
        const claims = await github.verify(form.get('subject_token') ?? '');
        if (typeof claims === 'string' || claims.aud !== `https://${HOST}`)
          return refuse('invalid_grant', 'the subject token is invalid');
        if (claims.sub !== identity.subject) return refuse('access_denied', 'no matching rule found');
        const token = minted.make('dckr_oidc_');
        tokens.add(token);
        return json(200, { access_token: token, token_type: 'Bearer', expires_in: lifetime });
      },
    },
  };
  return identity;
}
