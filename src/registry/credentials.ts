import type { Log } from '../world.ts';
import type { CredentialSource, Credentials, GivenCredentials } from './model.ts';
import { isKeyOf } from './repository.ts';

/**
 * Given credentials as a source. They go to the registry they name, else to the one host first asked for: a second
 * registry in the same project never sees them.
 */
export function givenCredentials({ username, password, registry }: GivenCredentials, source: string): CredentialSource {
  let first: string | undefined;
  return {
    name: source,
    origin: 'asked',
    find(host) {
      first ??= host;
      const isMine = registry === undefined ? host === first : isKeyOf(registry, host);
      return Promise.resolve(isMine ? { kind: 'basic', username, password, source } : undefined);
    },
  };
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
