import * as z from 'zod';
import { Problem } from '../problem.ts';
import type { ProviderWorld } from './provider.ts';
import { jsonOf, NoAnswer, type RegistryAnswer, send } from './request.ts';

/**
 * GitHub's word on who this job is, as a signed token for one audience. It lives about five minutes, so it is asked
 * for right before it is exchanged and kept nowhere (anchors/action.md §2.1).
 */
export interface OidcToken {
  readonly token: string;
  readonly claims: OidcClaims;
}

/** What a cloud's trust policy looks at; no secret without the signature. */
export interface OidcClaims {
  readonly sub: string | undefined;
  readonly aud: string | undefined;
  readonly iss: string | undefined;
}

const Answer = z.looseObject({ value: z.string().min(1) });

/** True when the runner offers tokens: the job has `permissions: id-token: write`. */
export function canRequestOidcToken(env: Readonly<Record<string, string>>): boolean {
  return (env.ACTIONS_ID_TOKEN_REQUEST_URL ?? '') !== '' && (env.ACTIONS_ID_TOKEN_REQUEST_TOKEN ?? '') !== '';
}

/**
 * Asks GitHub for a token, masked before it is returned.
 *
 * @param audience whom it is for, as that cloud's trust policy expects.
 * @param why what needs it, for the error: "the input aws-role".
 * @throws Problem when the job may not ask, or GitHub does not answer with one.
 */
export async function requestOidcToken(audience: string, why: string, world: ProviderWorld): Promise<OidcToken> {
  const { env } = world;
  if (!canRequestOidcToken(env)) throw notAllowed(why);
  const bearer = env.ACTIONS_ID_TOKEN_REQUEST_TOKEN ?? '';
  world.log.mask(bearer);
  const url = requestUrl(env.ACTIONS_ID_TOKEN_REQUEST_URL ?? '', audience);
  let answer: RegistryAnswer;
  try {
    answer = await send(world, url, { method: 'GET', authorization: `Bearer ${bearer}`, redirects: 'refuse' });
  } catch (error) {
    if (!(error instanceof NoAnswer)) throw error;
    throw new Problem(`GitHub’s OIDC endpoint ${url.origin} gave no token: ${error.code}`, {
      remedy: 'Look at GitHub’s status page, or let the runner reach that address, and run the job again.',
      cause: error,
    });
  }
  const token = answer.status === 200 ? Answer.safeParse(jsonOf(answer)).data?.value : undefined;
  if (token !== undefined) {
    world.log.mask(token);
    return { token, claims: readClaims(token) };
  }
  throw new Problem(`GitHub’s OIDC endpoint ${url.origin} gave no token: status ${answer.status}`, {
    remedy:
      'Look at GitHub’s status page and run the job again; a job that ran for very long may no longer ask for tokens.',
  });
}

/** The claims that matter to a trust policy, unchecked: they are only told. */
export function readClaims(token: string): OidcClaims {
  const { sub, aud, iss } = readTexts(token);
  return { sub, aud, iss };
}

const Texts = z.record(z.string(), z.string().optional().catch(undefined));

/** The claims of a token that are texts, from its middle part, unchecked; none when it is no JWT. */
export function readTexts(token: string): Readonly<Record<string, string | undefined>> {
  try {
    return Texts.parse(JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString('utf8')));
  } catch {
    return {};
  }
}

/** The claims as a trust policy must expect them, in one phrase. */
export function describeClaims({ sub, aud, iss }: OidcClaims): string {
  const parts = Object.entries({ sub, aud, iss }).flatMap(([name, value]) =>
    value === undefined ? [] : [`${name} ${JSON.stringify(value)}`],
  );
  return parts.length === 0
    ? 'GitHub’s token has no claims that can be read'
    : `GitHub’s token says ${parts.join(', ')}`;
}

/** The environment gives an address with a query already; the audience is one more parameter. */
function requestUrl(text: string, audience: string): URL {
  if (!URL.canParse(text)) {
    throw new Problem('ACTIONS_ID_TOKEN_REQUEST_URL is no address', {
      remedy: 'The runner sets it; remove it from the job’s `env:`.',
    });
  }
  const url = new URL(text);
  url.searchParams.set('audience', audience);
  return url;
}

function notAllowed(why: string): Problem {
  return new Problem(`${why} needs GitHub’s OIDC token, and this job may not ask for one`, {
    remedy:
      'Give the job `permissions:` with `id-token: write` (and `contents: read`). In a reusable workflow the calling job needs it too; pull requests from forks never have it.',
  });
}
