import type { Files } from '../../world.ts';

/** Holds credentials on a runner (actions/checkout leaves the job's token in it), and changes with every checkout. */
const GIT = ['**/.git'];

/** Where secrets lie, what sign-in actions leave in the workspace, and what is only ever local. */
const LOCAL = [
  '**/.env',
  '**/.env.*',
  '**/.netrc',
  '**/.pypirc',
  '**/.npmrc',
  '**/.aws',
  '**/.azure',
  '**/.config/gcloud',
  '**/.docker',
  '**/.kube',
  '**/.ssh',
  '**/.gnupg',
  '**/id_rsa',
  '**/id_ecdsa',
  '**/id_ed25519',
  '**/*.pem',
  '**/*.key',
  '**/*.p12',
  '**/*.pfx',
  '**/gha-creds-*.json',
  '**/__pycache__',
  '**/*.pyc',
  '**/.venv',
  '**/venv',
  '**/.tox',
  '**/.mypy_cache',
  '**/.pytest_cache',
  '**/.ruff_cache',
  '**/node_modules',
];

/**
 * What an image with a generated Dockerfile leaves out. The project's own .dockerignore is followed where there is one,
 * with git's folder left out besides; its later lines may take that back.
 */
export async function ignoreFor(context: string, files: Pick<Files, 'exists' | 'readText'>): Promise<string> {
  const path = `${context}/.dockerignore`;
  const own = (await files.exists(path)) ? await files.readText(path) : undefined;
  return ignoreFile(own);
}

/** The text alone, pure. @param own the project's own ignore file; undefined: none. */
export function ignoreFile(own: string | undefined): string {
  const lines = own === undefined ? [...GIT, ...LOCAL] : [...GIT, own.replace(/\n$/, '')];
  return lines.map((line) => `${line}\n`).join('');
}
