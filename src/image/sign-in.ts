import { dockerEnvironment } from '../docker-environment.ts';
import { openDockerConfig } from '../registry/docker-config.ts';
import type { Credentials } from '../registry/model.ts';
import { registryHost } from '../registry/repository.ts';
import type { World } from '../world.ts';

/**
 * Docker's environment for fetching an image: with the credentials that this run's builds used for the same registry,
 * else with whatever sign-in Docker has by itself. A registry that no build went to never sees them.
 *
 * @param signedIn by registry host.
 * @param remember told the directory that holds the secret, for the post step.
 */
export async function signInToFetch(
  image: string,
  signedIn: ReadonlyMap<string, Credentials>,
  world: Pick<World, 'env' | 'files'>,
  remember: (directory: string) => void,
): Promise<{ readonly env: Readonly<Record<string, string>>; close(): Promise<void> }> {
  const host = registryHost(repositoryOf(image));
  const credentials = signedIn.get(host);
  if (credentials === undefined) return { env: dockerEnvironment(world.env), close: async () => undefined };
  return await openDockerConfig({ host, credentials, env: dockerEnvironment(world.env), files: world.files, remember });
}

/** A reference without its digest and tag. */
export function repositoryOf(image: string): string {
  const [name = ''] = image.split('@');
  const colon = name.lastIndexOf(':');
  return colon > name.lastIndexOf('/') ? name.slice(0, colon) : name;
}
