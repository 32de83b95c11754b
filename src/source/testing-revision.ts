import type { Revision } from './model.ts';

/** A clean commit on main, with what a case wants different. */
export function someRevision(different: Partial<Revision> = {}): Revision {
  return {
    sha: '0123456789abcdef0123456789abcdef01234567',
    shortSha: '0123456',
    branch: 'main',
    refName: 'main',
    dirty: false,
    committedAt: 1_700_000_000,
    message: 'Say hello',
    repositoryUrl: 'https://github.com/acme/demo',
    repository: 'acme/demo',
    origin: 'HEAD',
    ...different,
  };
}
