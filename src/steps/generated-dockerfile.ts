import type { DockerfileSource } from '../image/model.ts';

/**
 * Kept out of images that are built with a generated Dockerfile when the project has no .dockerignore: git's history,
 * which holds credentials on a runner, what sign-in actions leave in the workspace, and what is only ever local.
 */
const IGNORED = [
  '.git',
  '**/.env',
  '**/.env.*',
  '**/.netrc',
  '**/.pypirc',
  '**/.npmrc',
  '**/.aws',
  '**/.docker',
  '**/.kube',
  '**/.ssh',
  '**/id_rsa',
  '**/id_ed25519',
  'gha-creds-*.json',
  '**/__pycache__',
  '**/*.pyc',
  '**/.venv',
];

/**
 * The Dockerfile of `dockerfile: auto` (contracts/deploy.md §2.7; prefect_docker/deployments/steps.py).
 *
 * @param baseImage what it begins with.
 * @param directory where the project goes, e.g. `/opt/prefect/hello` (design.md, difference 14).
 * @param hasRequirements the context has a requirements.txt.
 */
export function generatedDockerfile(
  baseImage: string,
  directory: string,
  hasRequirements: boolean,
): Extract<DockerfileSource, { kind: 'generated' }> {
  const requirements = `${directory}/requirements.txt`;
  const lines = [
    `FROM ${baseImage}`,
    ...(hasRequirements ? [copy('requirements.txt', requirements), install(requirements)] : []),
    copy('.', `${directory}/`),
    `WORKDIR ${directory}/`,
  ];
  return {
    kind: 'generated',
    content: lines.map((line) => `${line}\n`).join(''),
    dockerignore: IGNORED.map((pattern) => `${pattern}\n`).join(''),
  };
}

/** Paths with spaces or quotes need the JSON form. */
const PLAIN = /^[\w./@+-]+$/;

function copy(from: string, to: string): string {
  return PLAIN.test(to) ? `COPY ${from} ${to}` : `COPY ${JSON.stringify([from, to])}`;
}

function install(requirements: string): string {
  return PLAIN.test(requirements)
    ? `RUN uv pip install -r ${requirements}`
    : `RUN ${JSON.stringify(['uv', 'pip', 'install', '-r', requirements])}`;
}
