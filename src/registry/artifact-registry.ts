import * as z from 'zod';
import { Problem } from '../problem.ts';
import type { ProviderWorld } from './provider.ts';
import type { RegistryHost } from './registry-host.ts';
import type { Repository } from './repository.ts';
import { jsonOf, NoAnswer, type RegistryAnswer, type RegistryRequest, send } from './request.ts';

type GoogleHost = Extract<RegistryHost, { kind: 'gar' | 'gcr' }>;

/** Where in Artifact Registry the repository of an image is. */
export interface GoogleRepository {
  readonly project: string;
  readonly location: string;
  readonly repository: string;
}

/**
 * Project, location and repository of an image: `<location>-docker.pkg.dev/<project>/<repository>/<image>`; behind
 * gcr.io's names the repository is called as the host. A project of a domain is written in two parts.
 *
 * @throws Problem when the image names no repository, or the host does not tell the location.
 */
export function readGoogleRepository({ host, path }: Repository, google: GoogleHost): GoogleRepository {
  const { location } = google;
  if (location === undefined) {
    throw new Problem(`create-repository cannot tell the location of ${host}`, {
      remedy: 'Use the registry’s own name (<location>-docker.pkg.dev), or create the repository beforehand.',
    });
  }
  const [first = '', ...others] = path.split('/');
  const [project, rest] = first.includes('.') ? [`${first}:${others[0] ?? ''}`, others.slice(1)] : [first, others];
  const repository = google.kind === 'gcr' ? host.toLowerCase() : rest[0];
  const image = google.kind === 'gcr' ? rest[0] : rest[1];
  if (repository !== undefined && image !== undefined) return { project, location, repository };
  const form = google.kind === 'gcr' ? `${host}/<project>/<image>` : `${host}/<project>/<repository>/<image>`;
  throw new Problem(`the image ${host}/${path} names no image inside a repository`, { remedy: `Write ${form}.` });
}

const API = 'https://artifactregistry.googleapis.com/v1/';
const OPERATION_MS = 120_000;
const POLL_MS = 2_000;

const Operation = z.looseObject({
  name: z.string(),
  done: z.boolean().optional(),
  error: z.looseObject({ code: z.number().optional(), message: z.string().optional() }).optional(),
});
const ErrorBody = z.looseObject({ error: z.looseObject({ message: z.string().optional() }) });
const DOCKER_FORMAT = { bytes: Buffer.from(JSON.stringify({ format: 'DOCKER' })), type: 'application/json' };
/** google.rpc.Code */
const ALREADY_EXISTS = 6;

/**
 * Creates a Docker repository when it is missing and waits for it. An existing one is never touched; where looking is
 * not allowed, creating is tried.
 *
 * @throws Problem.
 */
export async function ensureGoogleRepository(
  image: Repository,
  google: GoogleHost,
  identity: { readonly token: string; readonly source: string },
  world: ProviderWorld,
  signal: AbortSignal,
): Promise<'created' | 'exists'> {
  const { project, location, repository } = readGoogleRepository(image, google);
  const parent = `projects/${encodeURIComponent(project)}/locations/${location}/repositories`;
  const ask = (path: string, request: Pick<RegistryRequest, 'method' | 'content'>) =>
    askGoogle(path, request, identity.token, { ...world, signal });
  const refuse = (what: string) =>
    new Problem(
      `Artifact Registry does not create ${project}/${repository} in ${location} for ${identity.source}: ${what}`,
      { remedy: createRemedy(what, project) },
    );

  const found = await ask(`${parent}/${repository}`, { method: 'GET' });
  if (found.status === 200) return 'exists';
  if (found.status !== 404 && found.status !== 403) throw refuse(said(found));
  const made = await ask(`${parent}?repositoryId=${repository}`, { method: 'POST', content: DOCKER_FORMAT });
  if (made.status === 409) return 'exists';
  if (made.status !== 200) throw refuse(said(made));

  const until = world.clock.now() + OPERATION_MS;
  for (let operation = Operation.safeParse(jsonOf(made)).data; ; ) {
    if (operation === undefined) throw refuse('an answer without an operation');
    if (operation.error?.code === ALREADY_EXISTS) return 'exists';
    if (operation.error !== undefined) throw refuse(operation.error.message ?? 'the operation failed');
    if (operation.done === true) return 'created';
    if (world.clock.now() >= until)
      throw refuse(`the operation ${operation.name} did not end within ${OPERATION_MS / 1000} s`);
    await world.clock.sleep(POLL_MS, signal);
    operation = Operation.safeParse(jsonOf(await ask(operation.name, { method: 'GET' }))).data;
  }
}

async function askGoogle(
  path: string,
  request: Pick<RegistryRequest, 'method' | 'content'>,
  token: string,
  world: ProviderWorld,
): Promise<RegistryAnswer> {
  try {
    return await send(world, new URL(path, API), { ...request, authorization: `Bearer ${token}`, redirects: 'refuse' });
  } catch (error) {
    if (!(error instanceof NoAnswer)) throw error;
    throw new Problem(`Artifact Registry’s API gave no answer: ${error.code}`, {
      remedy:
        'Check that this runner can reach artifactregistry.googleapis.com (firewall, proxy), and run the job again.',
      cause: error,
    });
  }
}

function said(answer: RegistryAnswer): string {
  const message = ErrorBody.safeParse(jsonOf(answer)).data?.error.message;
  return message?.split('\n')[0]?.slice(0, 400) ?? `status ${answer.status}`;
}

function createRemedy(what: string, project: string): string {
  if (/has not been used|is disabled/i.test(what)) return `Enable the Artifact Registry API in the project ${project}.`;
  const permission = /artifactregistry\.[a-zA-Z.]+/.exec(what)?.[0];
  return `Check the project, and give the identity ${permission ?? 'artifactregistry.repositories.create'} there (roles/artifactregistry.admin has it; docs/guides/google.md), or create the repository beforehand.`;
}
