import * as z from 'zod';
import { Problem } from '../problem.ts';
import { saidBy } from './failure.ts';
import type { CredentialSource, Credentials } from './model.ts';
import { describeClaims, requestOidcToken } from './oidc.ts';
import type { ProviderWorld } from './provider.ts';
import type { Repository } from './repository.ts';
import { jsonOf, NoAnswer, type RegistryAnswer, send } from './request.ts';

const IDENTITY = 'https://identity.docker.com';
/** Seconds; the longest that Docker gives, since a build may take long. */
const LIFETIME_S = 3600;
const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/**
 * Docker Hub, keyless: an organisation's OIDC connection takes GitHub's token for one of its own, which is the password
 * of the organisation (anchors/action.md §2.6). The connection is named by the variable that docker/login-action reads,
 * DOCKERHUB_OIDC_CONNECTIONID; it belongs to one organisation, the one that owns the repository.
 *
 * @returns nothing when the variable is not set: then given credentials and Docker's configuration count.
 */
export function dockerHubSources(repository: Repository, world: ProviderWorld): CredentialSource[] {
  const connection = world.env.DOCKERHUB_OIDC_CONNECTIONID?.trim() ?? '';
  if (connection === '') return [];
  const name = `Docker’s OIDC connection ${connection} (DOCKERHUB_OIDC_CONNECTIONID)`;
  return [
    {
      name,
      origin: 'asked',
      find: (_host, signal) => exchange(connection, name, repository, { ...world, signal }),
    },
  ];
}

const Exchanged = z.looseObject({ access_token: z.string().min(1) });

/** GitHub's token stands in the body, so a redirect is refused. */
async function exchange(
  connection: string,
  source: string,
  repository: Repository,
  world: ProviderWorld,
): Promise<Credentials> {
  if (!UUID.test(connection)) {
    throw new Problem(`DOCKERHUB_OIDC_CONNECTIONID is ${JSON.stringify(connection)}, which is no connection’s id`, {
      remedy: 'Copy the id (a UUID) from the organisation’s OIDC connections in Docker Home.',
    });
  }
  const { token, claims } = await requestOidcToken(IDENTITY, 'DOCKERHUB_OIDC_CONNECTIONID', world);
  const form = new URLSearchParams({
    grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange',
    subject_token_type: 'urn:ietf:params:oauth:token-type:id_token',
    subject_token: token,
    connection_id: connection,
    expires_in: String(LIFETIME_S),
  });
  let answer: RegistryAnswer;
  try {
    answer = await send(world, new URL('/oauth/token', IDENTITY), { method: 'POST', form, redirects: 'refuse' });
  } catch (error) {
    if (!(error instanceof NoAnswer)) throw error;
    throw new Problem(`Docker’s token service ${IDENTITY} gave no token: ${error.code}`, {
      remedy: 'Check that this runner can reach it (firewall, proxy), and run the job again.',
      cause: error,
    });
  }
  const password = answer.status === 200 ? Exchanged.safeParse(jsonOf(answer)).data?.access_token : undefined;
  const [organisation = ''] = repository.path.split('/');
  if (password !== undefined) {
    world.log.mask(password);
    return { kind: 'basic', username: organisation, password, source };
  }
  throw new Problem(`Docker gave no token to ${source}: ${saidBy(answer) || `status ${answer.status}`}`, {
    remedy: `Let the connection’s ruleset, in the organisation ${organisation}, allow this job (docs/guides/dockerhub.md). ${describeClaims(claims)}.`,
  });
}
