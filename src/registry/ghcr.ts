import type { RegistryInputs } from '../inputs/registry.ts';
import type { CredentialSource } from './model.ts';
import type { ProviderWorld } from './provider.ts';

/**
 * GitHub's registry: the job's own token is a password, good until the job ends; the user's name is not looked at
 * (anchors/action.md §2.5). The token of a GitHub Enterprise server is no business of ghcr.io.
 */
export function ghcrSources(inputs: RegistryInputs, world: ProviderWorld): CredentialSource[] {
  const { env } = world;
  const name = inputs.githubToken === undefined ? 'GITHUB_TOKEN' : 'the input github-token';
  const token = inputs.githubToken ?? env.GITHUB_TOKEN ?? '';
  if (token === '') return [];
  return [
    {
      name,
      origin: 'surroundings',
      find(host) {
        if (host.toLowerCase() === 'ghcr.io' && !isGitHubCom(env)) return Promise.resolve(undefined);
        world.log.mask(token);
        const username = env.GITHUB_ACTOR || 'x-access-token';
        return Promise.resolve({ kind: 'basic', username, password: token, source: name });
      },
    },
  ];
}

function isGitHubCom({ GITHUB_SERVER_URL: server = '' }: Readonly<Record<string, string>>): boolean {
  return server === '' || server === 'https://github.com';
}
