import type { RegistryInputs } from '../inputs/registry.ts';
import { Problem } from '../problem.ts';
import type { Exec, Files, Log } from '../world.ts';
import { proveAccess, type RegistryAccess } from './access.ts';
import { givenCredentials, maskCredentials } from './credentials.ts';
import { dockerCredentials } from './docker-config-file.ts';
import { Refusal } from './failure.ts';
import type { CredentialSource, Credentials, GivenCredentials } from './model.ts';
import type { ProviderWorld } from './provider.ts';
import { idleKeylessInputs, providerSources } from './provider-sources.ts';
import { decideRegistryHost } from './registry-host.ts';
import type { Repository } from './repository.ts';

/** A registry that takes us: with which credentials (undefined: it wants none), and our own access to it. */
export interface SignedIn {
  readonly credentials: Credentials | undefined;
  readonly access: RegistryAccess;
}

/**
 * Signs in to the registry of a repository, for pushing to it. Called again, it mints new credentials: those of before
 * may have expired.
 *
 * @param stepCredentials those of a push step, which win over everything else.
 * @throws Problem when nobody who was tried may push there, with what each was told.
 */
export type SignIn = (repository: Repository, stepCredentials?: GivenCredentials) => Promise<SignedIn>;

export interface SignInWorld extends ProviderWorld {
  readonly exec: Exec;
  readonly files: Pick<Files, 'readText' | 'exists'>;
}

/**
 * Sign-in for one run, with the sources of credentials in their one order: given (a push step's, then the inputs'),
 * keyless by the job's OIDC token, the job's surroundings, Docker's own configuration (anchors/action.md §9).
 */
export function openSignIn(inputs: RegistryInputs, world: SignInWorld): SignIn {
  const { credentials } = inputs;
  const given =
    credentials === undefined
      ? []
      : [givenCredentials(credentials, 'the inputs registry-username and registry-password')];
  return async (repository, stepCredentials) => {
    const { host } = repository;
    const step =
      stepCredentials === undefined ? [] : [givenCredentials(stepCredentials, 'the push step’s credentials')];
    const owner = decideRegistryHost(host, inputs.kind, world.env);
    const own = providerSources(owner, repository, inputs, world);
    for (const input of idleKeylessInputs(owner, inputs)) {
      world.log.info(`Registry ${host}: ${input} is not used, for this is no registry of that cloud (${owner.kind})`);
    }
    const sources = [...step, ...given, ...own, dockerCredentials(world)];
    const creators = own.filter((source) => source.ensureRepository !== undefined);
    const create = inputs.createRepository ? creatorOf(creators, repository, owner.kind, world) : undefined;
    return await signInWith(sources, repository, create, world);
  };
}

/** Makes sure of the repository, with the source that is signed in when it can, else with the first that can. */
type Create = (source: CredentialSource) => Promise<void>;

function creatorOf(
  creators: readonly CredentialSource[],
  repository: Repository,
  kind: string,
  { log, signal }: SignInWorld,
): Create {
  const name = `${repository.host}/${repository.path}`;
  return async (source) => {
    const creator = source.ensureRepository === undefined ? creators[0] : source;
    if (creator?.ensureRepository === undefined) {
      log.info(
        `create-repository: nothing to do, ${repository.host} (${kind}) creates repositories with the first push`,
      );
      return;
    }
    const outcome = await creator.ensureRepository(repository, signal);
    log.info(outcome === 'created' ? `Created the repository ${name}` : `The repository ${name} exists`);
  };
}

async function signInWith(
  sources: readonly CredentialSource[],
  repository: Repository,
  create: Create | undefined,
  world: SignInWorld,
): Promise<SignedIn> {
  const { host } = repository;
  const { log } = world;
  const failed: Failure[] = [];
  for (const source of sources) {
    const credentials = await find(source, host, failed, world);
    if (credentials === undefined) continue;
    log.info(`Registry ${host}: signing in with ${credentials.source}`);
    await create?.(source);
    try {
      return { credentials, access: await proveAccess({ repository, credentials, world }) };
    } catch (error) {
      // That the registry does not answer, or has no such repository, is nobody's refusal.
      if (!(error instanceof Refusal) || source.origin === 'asked') throw error;
      failed.push(failure(source, error, host, log));
    }
  }
  const [first, ...others] = failed;
  if (first !== undefined) throw together(host, first, others);
  log.info(`Registry ${host}: no credentials (looked at ${sources.map((source) => source.name).join(', ')})`);
  return { credentials: undefined, access: await proveAccess({ repository, credentials: undefined, world }) };
}

interface Failure {
  readonly source: CredentialSource;
  readonly problem: Problem;
}

async function find(
  source: CredentialSource,
  host: string,
  failed: Failure[],
  { log, signal }: SignInWorld,
): Promise<Credentials | undefined> {
  try {
    const credentials = await source.find(host, signal);
    if (credentials !== undefined) maskCredentials(credentials, log);
    return credentials;
  } catch (error) {
    if (!(error instanceof Problem) || source.origin === 'asked') throw error;
    failed.push(failure(source, error, host, log));
    return undefined;
  }
}

function failure(source: CredentialSource, problem: Problem, host: string, log: Pick<Log, 'info'>): Failure {
  log.info(`Registry ${host}: ${source.name} does not serve: ${problem.message}`);
  return { source, problem };
}

/** All that was tried in one Problem; what to do is told for the first, which should have served. */
function together(host: string, first: Failure, others: readonly Failure[]): Problem {
  if (others.length === 0) return first.problem;
  const tried = [first, ...others].map(({ source, problem }) => `${source.name}: ${problem.message}`).join('; ');
  return new Problem(`nothing that was tried may push to ${host} (${tried})`, {
    remedy: first.problem.remedy,
    cause: first.problem,
  });
}
