import { Problem } from '../problem.ts';
import type { Exec, Files, Log } from '../world.ts';
import { dockerCredentials } from './docker-config-file.ts';
import type { CredentialSource, Credentials, RegistryInputs } from './model.ts';

/**
 * The credential sources of this run in their one order: given inputs, then Docker's own configuration
 * (anchors/action.md §9).
 *
 * @throws Problem when a keyless input is set (refused by name), or only one of username and password is.
 */
export function credentialSources(
  inputs: RegistryInputs,
  world: {
    readonly env: Readonly<Record<string, string>>;
    readonly exec: Exec;
    readonly files: Pick<Files, 'readText' | 'exists'>;
  },
): CredentialSource[] {
  if (inputs.keyless.length > 0) {
    throw new Problem(`signing in without a stored secret (${inputs.keyless.join(', ')}) is not supported yet`, {
      remedy:
        'Leave the input out and either give registry-username and registry-password, or sign in with the provider’s own login action before this step: Docker’s configuration is used.',
    });
  }
  return [...givenCredentials(inputs), dockerCredentials(world)];
}

/** Static credentials go to one host only: a second registry in the same project never sees them. */
function givenCredentials(inputs: RegistryInputs): CredentialSource[] {
  const username = inputs.username ?? '';
  const password = inputs.password ?? '';
  if (username === '' && password === '') return [];
  if (username === '' || password === '') {
    const [has, lacks] = username === '' ? ['password', 'username'] : ['username', 'password'];
    throw new Problem(`registry-${has} is given without registry-${lacks}`, {
      remedy: `Give registry-${lacks} too; a secret that does not exist in this repository or environment reads as empty.`,
    });
  }
  const source = 'the inputs registry-username and registry-password';
  let mine = inputs.host;
  return [
    {
      name: source,
      find(host) {
        mine ??= host;
        return Promise.resolve(host === mine ? { kind: 'basic', username, password, source } : undefined);
      },
    },
  ];
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
