import type { Exec, Files, Log } from '../world.ts';
import { dockerCredentials } from './docker-config-file.ts';
import type { CredentialSource, Credentials, GivenCredentials } from './model.ts';
import { isKeyOf } from './repository.ts';

/**
 * The credential sources of a run in their one order: given ones, then Docker's own configuration
 * (anchors/action.md §9).
 *
 * @param given user name and password with words for the log on where they were given.
 */
export function credentialSources(
  given: readonly { readonly credentials: GivenCredentials; readonly source: string }[],
  world: {
    readonly env: Readonly<Record<string, string>>;
    readonly exec: Exec;
    readonly files: Pick<Files, 'readText' | 'exists'>;
  },
): CredentialSource[] {
  return [...given.map(({ credentials, source }) => givenCredentials(credentials, source)), dockerCredentials(world)];
}

/**
 * Given credentials as a source. They go to the registry they name, else to the one host first asked for: a second
 * registry in the same project never sees them.
 */
export function givenCredentials({ username, password, registry }: GivenCredentials, source: string): CredentialSource {
  let first: string | undefined;
  return {
    name: source,
    find(host) {
      first ??= host;
      const isMine = registry === undefined ? host === first : isKeyOf(registry, host);
      return Promise.resolve(isMine ? { kind: 'basic', username, password, source } : undefined);
    },
  };
}

/**
 * The credentials for a host from the first source that has some, masked, and the source told in the log; undefined
 * when none has.
 */
export async function credentialsFor(
  host: string,
  sources: readonly CredentialSource[],
  log: Pick<Log, 'info' | 'mask'>,
  signal: AbortSignal,
): Promise<Credentials | undefined> {
  for (const source of sources) {
    const found = await source.find(host, signal);
    if (found === undefined) continue;
    maskCredentials(found, log);
    log.info(`Registry ${host}: signing in with ${found.source}`);
    return found;
  }
  log.info(`Registry ${host}: no credentials (looked at ${sources.map((source) => source.name).join(', ')})`);
  return undefined;
}

/** Masks the secret and the spellings it travels in. */
export function maskCredentials(credentials: Credentials, log: Pick<Log, 'mask'>): void {
  log.mask(credentials.kind === 'basic' ? credentials.password : credentials.token);
  if (credentials.kind === 'basic') log.mask(basicToken(credentials));
}

/** Base64 of `user:password`, as the Authorization header and Docker's configuration carry it. */
export function basicToken(credentials: Extract<Credentials, { kind: 'basic' }>): string {
  return Buffer.from(`${credentials.username}:${credentials.password}`, 'utf8').toString('base64');
}
