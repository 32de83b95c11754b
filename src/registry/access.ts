import * as z from 'zod';
import { Problem } from '../problem.ts';
import type { Log } from '../world.ts';
import { type Challenge, parseChallenge } from './challenge.ts';
import { basicToken } from './credentials.ts';
import { isRefusal, missingRepositoryProblem, noAnswerProblem, pushRefusedProblem, refusedProblem } from './failure.ts';
import { type HeldImage, type Manifest, readImage, readManifestDigest, type Shelf, tagManifest } from './manifests.ts';
import type { Credentials } from './model.ts';
import { provePush } from './push-proof.ts';
import { readRegistryHost } from './registry-host.ts';
import { apiHost, isLoopback, type Repository } from './repository.ts';
import { jsonOf, NoAnswer, type RegistryAnswer, type RegistryWorld, send } from './request.ts';

/**
 * Our own word with a registry: that the credentials are good before a long build, and which digest it holds after
 * (anchors/action.md §2.9). Failure model: nothing is kept between calls but how the registry wants to be spoken to;
 * a token is asked for anew each time, so none can be stale.
 */
export interface RegistryAccess {
  /**
   * `sha256:…` of the manifest or index under a tag or digest, as the registry knows it; undefined when there is none.
   *
   * @throws Problem when the registry cannot be reached or refuses.
   */
  readManifestDigest(reference: string): Promise<string | undefined>;
  /** The image under a tag with the labels of each platform; undefined when there is none. @throws Problem as above. */
  readImage(tag: string): Promise<HeldImage | undefined>;
  /** Puts an image that is there under one more tag. @throws Problem as above. */
  tagManifest(tag: string, manifest: Manifest): Promise<void>;
}

export interface AccessOptions {
  readonly repository: Repository;
  readonly credentials: Credentials | undefined;
  readonly world: RegistryWorld & { readonly log: Pick<Log, 'mask'> };
}

/**
 * Signs in to the registry as a push would: GET /v2/, where it asks for one a token for this repository, and an upload
 * that is begun and given up, so that what a push lacks is known before a long build.
 *
 * @returns access for reading what was pushed.
 * @throws Refusal when it wants credentials and there are none, or does not let those there are push here; Problem when
 * it is not reachable or has no such repository.
 */
export async function proveAccess(options: AccessOptions): Promise<RegistryAccess> {
  const { repository, world } = options;
  try {
    const { base, challenge } = await probe(repository.host, world);
    const session: Session = { ...options, base, challenge };
    const authorization = await authorize(session, 'pull,push');
    if (authorization !== undefined) {
      const answer = await send(world, new URL('/v2/', base), { method: 'GET', authorization, redirects: 'follow' });
      if (isRefusal(answer.status)) throw refusedProblem(repository.host, options.credentials, answer);
    }
    await provePush({ ...options, base, authorization });
    const onShelf = <T>(actions: Actions, body: (shelf: Shelf) => Promise<T>) =>
      explained(repository.host, async () => body(await openShelf(session, actions)));
    return {
      readManifestDigest: (reference) => onShelf('pull', (shelf) => readManifestDigest(shelf, reference)),
      readImage: (tag) => onShelf('pull', (shelf) => readImage(shelf, tag)),
      tagManifest: (tag, manifest) => onShelf('pull,push', (shelf) => tagManifest(shelf, tag, manifest)),
    };
  } catch (error) {
    throw error instanceof NoAnswer ? noAnswerProblem(repository.host, error) : error;
  }
}

interface Session extends AccessOptions {
  readonly base: URL;
  readonly challenge: Challenge | undefined;
}

type Actions = 'pull' | 'pull,push';

/** How the registry is spoken to: its origin and what it wants. On this machine plain HTTP is tried first, as Docker may. */
async function probe(host: string, world: RegistryWorld): Promise<{ base: URL; challenge: Challenge | undefined }> {
  const ask = async (base: URL) => {
    const answer = await send(world, new URL('/v2/', base), { method: 'GET', redirects: 'follow' });
    return { base, answer };
  };
  let found: { base: URL; answer: RegistryAnswer };
  if (isLoopback(host)) {
    found = await ask(new URL(`http://${host}`));
    // A TLS server tells plain HTTP off with 400 and no registry header.
    if (found.answer.status === 400) found = await ask(new URL(`https://${host}`));
  } else {
    found = await ask(new URL(`https://${apiHost(host)}`));
  }
  const { base, answer } = found;
  if (answer.status === 200) return { base, challenge: undefined };
  const challenge = parseChallenge(answer.headers.get('www-authenticate'));
  if (answer.status === 401 && challenge !== undefined) return { base, challenge };
  throw new Problem(`${host} does not answer as an image registry: status ${answer.status} for ${base.origin}/v2/`, {
    remedy: 'Check the host in the image name: it must be the registry’s own, with its port.',
  });
}

/** The Authorization header for an action on the repository; undefined where the registry wants none. */
async function authorize(session: Session, actions: Actions): Promise<string | undefined> {
  const { challenge, credentials, repository } = session;
  if (challenge === undefined) return undefined;
  if (challenge.scheme === 'bearer') return `Bearer ${await requestToken(session, challenge, actions)}`;
  if (credentials?.kind === 'basic') return `Basic ${basicToken(credentials)}`;
  throw refusedProblem(repository.host, credentials, undefined);
}

const TokenAnswer = z
  .looseObject({ token: z.string().optional(), access_token: z.string().optional() })
  .transform(({ token, access_token }) => token ?? access_token);

async function requestToken(
  session: Session,
  challenge: Extract<Challenge, { scheme: 'bearer' }>,
  actions: string,
): Promise<string> {
  const { credentials, repository, world } = session;
  const realm = realmOf(challenge.realm, session);
  const scope = `repository:${repository.path}:${actions}`;
  const service: Record<string, string> = challenge.service === undefined ? {} : { service: challenge.service };
  let answer: RegistryAnswer;
  if (credentials?.kind === 'identity-token') {
    const form = new URLSearchParams({
      grant_type: 'refresh_token',
      ...service,
      scope,
      client_id: 'slipway',
      refresh_token: credentials.token,
    });
    answer = await send(world, realm, { method: 'POST', form, redirects: 'refuse' });
  } else {
    for (const [name, value] of Object.entries({ ...service, scope })) realm.searchParams.set(name, value);
    const authorization = credentials === undefined ? {} : { authorization: `Basic ${basicToken(credentials)}` };
    answer = await send(world, realm, { method: 'GET', ...authorization, redirects: 'refuse' });
  }
  if (answer.status === 404) throw missingRepositoryProblem(repository, answer);
  if (answer.status === 403 && readRegistryHost(repository.host).kind !== 'generic')
    throw pushRefusedProblem(repository, credentials, answer);
  if (isRefusal(answer.status)) throw refusedProblem(repository.host, credentials, answer);
  const token = answer.status === 200 ? TokenAnswer.safeParse(jsonOf(answer)).data : undefined;
  if (token !== undefined) {
    world.log.mask(token);
    return token;
  }
  throw new Problem(
    `the token service ${realm.origin} of registry ${repository.host} answered ${answer.status} without a token`,
    {
      remedy: 'This is the registry’s own trouble: look at its status page and run the job again.',
    },
  );
}

/** The token service may be on another host (auth.docker.io), but the password goes there by HTTPS only. */
function realmOf(text: string, session: Session): URL {
  const { host } = session.repository;
  const realm = URL.canParse(text) ? new URL(text) : undefined;
  const isCloud = ['gar', 'gcr', 'acr', 'ghcr'].includes(readRegistryHost(host).kind);
  if (realm !== undefined && isCloud && realm.host !== host.toLowerCase()) {
    throw new Problem(`registry ${host} sends its sign-in to another host, ${realm.host}`, {
      remedy: 'That registry signs in at its own host: look for a proxy in between.',
    });
  }
  if (realm?.protocol === 'https:' || (realm?.protocol === 'http:' && isLoopback(realm.host))) return realm;
  throw new Problem(`registry ${host} sends its sign-in to ${text}, which is not HTTPS`, {
    remedy: 'Let the registry’s token service be reached by HTTPS; a password is not sent in the clear.',
  });
}

/** The repository with a token for some actions, which outlives the few requests that are made with it. */
async function openShelf(session: Session, actions: Actions): Promise<Shelf> {
  const { repository, world, credentials, base } = session;
  const authorization = await authorize(session, actions);
  return {
    ...repository,
    async ask(what, request) {
      const url = new URL(`/v2/${repository.path}/${what}`, base);
      const answer = await send(world, url, {
        ...request,
        ...(authorization === undefined ? {} : { authorization }),
      });
      if (isRefusal(answer.status)) throw refusedProblem(repository.host, credentials, answer);
      return answer;
    },
  };
}

async function explained<T>(host: string, body: () => Promise<T>): Promise<T> {
  try {
    return await body();
  } catch (error) {
    throw error instanceof NoAnswer ? noAnswerProblem(host, error) : error;
  }
}
