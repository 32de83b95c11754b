import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { explainBuildFailure } from './failure.ts';
import { somePlan } from './testing-plan.ts';

const DOCKERFILE = `FROM 127.0.0.1:15001/base/shell:1
# a comment
RUN echo one \\
  && echo "no such package" >&2 \\
  && exit 3
`;

describe('explainBuildFailure on what buildx really wrote', () => {
  const host = '127.0.0.1:15002';
  it.each([
    ['push-without-sign-in.dockerd', `registry ${host} wants a sign-in to push ${host}/x/y:1`, 'docker login'],
    ['push-without-sign-in.buildkit', `registry ${host} does not let ${host}/x/y:1 be pushed`, 'registry-password'],
    ['push-wrong-password.dockerd', `registry ${host} does not let ${host}/x/y:1 be pushed`, 'may write to'],
    ['push-wrong-password.buildkit', `registry ${host} does not let ${host}/x/y:1 be pushed`, 'may write to'],
    ['push-connection-refused.dockerd', `the builder cannot reach registry ${host}`, 'host and port'],
    ['push-connection-refused.buildkit', `the builder cannot reach registry ${host}`, 'host and port'],
    ['push-unknown-host.dockerd', `the builder cannot reach registry ${host}`, 'host and port'],
    ['push-unknown-host.buildkit', `the builder cannot reach registry ${host}`, 'host and port'],
    ['missing-credential-helper.dockerd', 'docker-credential-nosuch', 'Install the helper'],
    ['missing-credential-helper.buildkit', 'docker-credential-nosuch', 'Install the helper'],
    ['base-image-not-found.dockerd', 'the base image 127.0.0.1:15001/nosuch/base:1 does not exist', 'name and tag'],
    ['base-image-not-found.buildkit', 'the base image 127.0.0.1:15001/nosuch/base:1 does not exist', 'name and tag'],
    ['base-image-unauthorized.dockerd', 'may not be pulled without a sign-in', 'docker/login-action'],
    ['base-image-unauthorized.buildkit', 'may not be pulled without a sign-in', 'docker/login-action'],
    ['base-image-unreachable.dockerd', 'the base image docker.io/nosuch/base:1 cannot be pulled', 'can reach'],
    ['base-image-unreachable.buildkit', 'the base image docker.io/nosuch/base:1 cannot be pulled', 'can reach'],
    [
      'copy-not-found.dockerd',
      '/nothere is to be copied into the image but is not in the build context',
      '.dockerignore',
    ],
    [
      'copy-not-found.buildkit',
      '/nothere is to be copied into the image but is not in the build context',
      '.dockerignore',
    ],
    ['parse-error.dockerd', 'the Dockerfile cannot be read: line 2: unknown instruction: FORM', 'Correct that line'],
    [
      'parse-error.buildkit',
      'the Dockerfile cannot be read: on line 2: unknown instruction: FORM',
      'Correct that line',
    ],
    ['step-failed.dockerd', 'failed: exit code: 3', 'lines above'],
    ['step-failed.buildkit', 'failed: exit code: 3', 'lines above'],
    ['dockerfile-missing.dockerd', 'the Dockerfile cannot be read', 'Check its path'],
    ['dockerfile-missing.buildkit', 'the Dockerfile cannot be read', 'Check its path'],
    ['stage-missing.dockerd', 'the Dockerfile has no stage "release"', 'FROM … AS …'],
    ['stage-missing.buildkit', 'the Dockerfile has no stage "release"', 'FROM … AS …'],
    ['several-platforms.dockerd', 'Multi-platform build is not supported for the docker driver', 'setup-buildx-action'],
    ['cache-export.dockerd', 'Cache export is not supported for the docker driver', 'setup-buildx-action'],
  ])('%s: %s', (name, message, remedy) => {
    const { problem, kind } = explain(name);
    expect(problem.message).toContain(message);
    expect(problem.remedy).toContain(remedy);
    expect(kind).not.toBe('transient');
  });

  it.each([
    ['parse-error.dockerd', 2],
    ['parse-error.buildkit', 2],
    ['step-failed.dockerd', 3],
    ['step-failed.buildkit', 3],
    ['copy-not-found.buildkit', 2],
    ['base-image-not-found.buildkit', 1],
  ])('%s stands in line %i of the Dockerfile', (name, line) => {
    expect(explain(name).problem.where).toEqual({ file: 'docker/Dockerfile', line, column: 1 });
  });

  it('names the step that failed as it is written', () => {
    for (const builder of ['dockerd', 'buildkit']) {
      expect(explain(`step-failed.${builder}`).problem.message).toBe(
        'the step `RUN echo one   && echo "no such package" >&2   && exit 3` failed: exit code: 3',
      );
    }
  });

  it('names the build step of prefect.yaml when the Dockerfile was generated', () => {
    const lines = fixture('step-failed.buildkit');
    const plan = somePlan({ dockerfile: { kind: 'generated', content: DOCKERFILE, dockerignore: undefined } });
    expect(explainBuildFailure(plan, lines, '/srv', DOCKERFILE).problem.where).toEqual(plan.where);
  });

  it('names the build step of prefect.yaml when a push failed', () => {
    expect(explain('push-wrong-password.buildkit').problem.where).toMatchObject({ file: 'prefect.yaml' });
  });

  function explain(name: string) {
    const plan = somePlan({
      repository: `${host}/x/y`,
      tags: ['1'],
      target: 'release',
      dockerfile: { kind: 'file', path: '/srv/project/docker/Dockerfile' },
    });
    return explainBuildFailure(plan, fixture(name), '/srv/project', DOCKERFILE);
  }

  function fixture(name: string): string[] {
    return readFileSync(new URL(`./fixtures/buildx/${name}.txt`, import.meta.url), 'utf8').split('\n');
  }
});

// Words of registries that cannot run here: rig-action.md §D and §G, anchors/action.md §4.8 and §8.
describe('explainBuildFailure on the words of other registries', () => {
  const pushing = (error: string) => [
    '------',
    ' > exporting to image:',
    '------',
    `ERROR: failed to build: failed to solve: ${error}`,
  ];
  const loading = (error: string) => [
    '------',
    ' > [internal] load metadata for docker.io/library/python:3:',
    '------',
    `ERROR: ${error}`,
  ];
  const running = (text: string) => [
    '#5 0.1 exec /bin/sh: exec format error',
    '------',
    ' > [2/2] RUN x:',
    '------',
    `ERROR: ${text}`,
  ];

  const causes: [string[], string, string][] = [
    [
      pushing('failed to push ghcr.io/a/b:1: denied: permission_denied: write_package'),
      'does not let this workflow write',
      'Manage Actions access',
    ],
    [
      pushing("name unknown: The repository with name 'hello' does not exist in the registry with id '1'"),
      'does not exist on',
      'Create it',
    ],
    [pushing('failed to push x: unknown: Repository "hello" not found'), 'does not exist on', 'Create it'],
    [
      pushing(
        "tag invalid: The image tag 'f3d46caf' already exists in the 'hello' repository and cannot be overwritten because the repository is immutable.",
      ),
      'forbids overwriting',
      'names the commit',
    ],
    [
      pushing(
        'unexpected status from PUT request: 403 Forbidden: Your authorization token has expired. Reauthenticate and try again.',
      ),
      'expired during the build',
      'Run the job again',
    ],
    [
      pushing('failed to authorize: failed to fetch anonymous token: unexpected status: 401 Unauthorized'),
      'wants a sign-in',
      'registry-password',
    ],
    [
      pushing('failed to authorize: failed to fetch oauth token: unauthorized: authentication failed'),
      'does not let',
      'may write',
    ],
    [pushing('denied: requested access to the resource is denied'), 'does not let', 'may write'],
    [
      pushing('failed to do request: Head "https://r/v2/": http: server gave HTTP response to HTTPS client'),
      'speaks plain HTTP',
      'TLS',
    ],
    [
      pushing('tls: failed to verify certificate: x509: certificate signed by unknown authority'),
      'does not accept the certificate',
      'authority',
    ],
    [pushing('write /var/lib/x: no space left on device'), 'disk is full', 'Free space'],
    [
      loading('toomanyrequests: You have reached your unauthenticated pull rate limit.'),
      'limit for this machine',
      'Sign in to Docker Hub',
    ],
    [
      loading(
        'pull access denied, repository does not exist or may require authorization: server message: insufficient_scope: authorization failed',
      ),
      'does not exist, or may not be pulled',
      'name and tag',
    ],
    [
      running('process "/bin/sh -c x" did not complete successfully: exit code: 255'),
      'another processor',
      'setup-qemu-action',
    ],
    [
      [
        '#1 [internal] waiting for connection',
        '------',
        ' > [internal] waiting for connection:',
        '------',
        'ERROR: failed to build: context deadline exceeded',
      ],
      'the builder in use does not answer',
      'inspect',
    ],
    [['ERROR: failed to build: something new'], 'could not be built: something new', 'last lines'],
    [[], 'buildx ended without a word', 'last lines'],
  ];

  it.each(causes.map(([lines, message, remedy]) => ({ lines, message, remedy })))('$message', ({
    lines,
    message,
    remedy,
  }) => {
    const { problem, kind } = explainBuildFailure(somePlan(), lines, '/srv/project', '');
    expect(problem.message).toContain(message);
    expect(problem.remedy).toContain(remedy);
    expect(kind).not.toBe('transient');
  });

  const passing = [
    pushing(
      'failed to push x: unexpected status from PUT request to https://r/v2/x/manifests/1: 503 Service Unavailable',
    ),
    pushing('failed to copy: httpReadSeeker: failed open: unexpected status code https://r/v2/: 429 Too Many Requests'),
    pushing('received unexpected HTTP status: 500 Internal Server Error'),
    pushing(
      'failed to do request: Put "https://r/v2/": write tcp 10.0.0.1:1->10.0.0.2:443: write: connection reset by peer',
    ),
    pushing('failed to do request: Head "https://r/v2/": net/http: TLS handshake timeout'),
    pushing('Put "https://r/v2/": EOF'),
    loading('failed to do request: Head "https://r/v2/": dial tcp 10.0.0.2:443: i/o timeout'),
  ];

  it.each(passing.map((lines) => ({ lines, error: lines.at(-1) })))('is worth another try: $error', ({ lines }) => {
    expect(explainBuildFailure(somePlan(), lines, '/srv/project', '').kind).toBe('transient');
  });

  const lost = [
    'unauthorized: authentication required',
    'failed to authorize: failed to fetch oauth token: unauthorized: authentication failed',
    'failed to push x: unexpected status from POST request to https://r/v2/x/blobs/uploads/: 401 Unauthorized',
    'failed to push x: denied: Your authorization token has expired. Reauthenticate and try again.',
  ];

  it.each(lost)('is worth another try with a new sign-in: %s', (error) => {
    expect(explainBuildFailure(somePlan(), pushing(error), '/srv/project', '').kind).toBe('sign-in lost');
  });

  it.each([
    'denied: requested access to the resource is denied',
    'failed to authorize: failed to fetch oauth token: insufficient_scope: authorization failed',
    'unauthorized: access to the requested resource is denied',
    'no basic auth credentials',
  ])('is for a person to mend: %s', (error) => {
    expect(explainBuildFailure(somePlan(), pushing(error), '/srv/project', '').kind).toBe('lasting');
  });

  it('does not build again because a step’s own download broke', () => {
    const lines = [
      '#5 0.1 pip: connection reset by peer',
      ...running('process "pip" did not complete successfully: exit code: 1'),
    ];
    expect(explainBuildFailure(somePlan(), lines, '/srv/project', '').kind).toBe('lasting');
  });
});
