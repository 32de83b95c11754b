import { explainMissingRepository, explainPushRefusal, signInRemedy } from '../registry/push-refusal.ts';
import { parseRepository } from '../registry/repository.ts';
import type { Evidence } from './evidence.ts';
import type { ImagePlan } from './model.ts';

/** What a rule may speak of. */
export interface Facts {
  readonly plan: ImagePlan;
  readonly lines: readonly string[];
  readonly error: string;
  readonly host: string;
  /** `repository:tag`. */
  readonly name: string;
  /** The base image, in that phase. */
  readonly subject: string;
  /** The instruction, in that phase. */
  readonly step: string;
}

/** A cause that is known by its words. */
export interface Rule {
  readonly when: RegExp;
  /** @param capture the first group of a pattern in the error. @returns message and remedy. */
  readonly say: (facts: Facts, capture: (pattern: RegExp) => string) => readonly [message: string, remedy: string];
  /** Absent: only a person can help. */
  readonly kind?: 'transient' | 'sign-in lost';
}

/** Overload and broken connections, in the words of BuildKit and of dockerd's push. */
const TRANSIENT =
  /\b(?:5\d\d (?:Internal Server Error|Bad Gateway|Service Unavailable|Gateway Time-?out)|429 Too Many Requests)|unexpected HTTP status: (?:5\d\d|429)|toomanyrequests|connection reset by peer|broken pipe|TLS handshake timeout|i\/o timeout|unexpected EOF|: EOF$|Client\.Timeout exceeded|context deadline exceeded/i;
const UNREACHABLE = /connection refused|no such host|no route to host|network is unreachable/;
const REFUSED =
  /\bunauthorized\b|401 Unauthorized|incorrect username or password|insufficient_scope|\bdenied\b|403 Forbidden|failed to authorize/i;
/** Not let in, and no word of what may not be done: the credentials themselves, which were proven before the build. */
const EXPIRED =
  /^(?!.*(?:insufficient_scope|\bdenied\b)).*(?:\bunauthorized\b|401 Unauthorized|failed to fetch oauth token)/is;
const RUN_AGAIN = 'The registry or the way to it is in trouble: run the job again later.';

const ofInstruction: readonly Rule[] = [
  {
    when: /did not complete successfully|executor failed running/,
    say: ({ step, error, lines }) =>
      lines.some((line) => line.includes('exec format error'))
        ? [
            `the step \`${step}\` is made for another processor than the builder’s (exec format error)`,
            'Build for the builder’s own platform, or set up emulation with docker/setup-qemu-action before this step.',
          ]
        : [
            `the step \`${step}\` failed: ${error.replace(/^.*(?:successfully|\]): /s, '')}`,
            'What it wrote stands in the lines above.',
          ],
  },
  {
    when: /"[^"]+":? ?not found/,
    say: ({ plan }, capture) => [
      `${capture(/"([^"]+)":? ?not found/)} is to be copied into the image but is not in the build context ${plan.context}`,
      'Correct the path (it is relative to the context), or take it out of .dockerignore.',
    ],
  },
];

const ofBaseImage: readonly Rule[] = [
  {
    when: /toomanyrequests|pull rate limit/i,
    say: ({ subject }) => [
      `the base image ${subject} cannot be pulled: its registry’s limit for this machine is reached`,
      'Sign in to Docker Hub with docker/login-action before this step, or use a mirror.',
    ],
  },
  {
    when: REFUSED,
    say: ({ subject }) => [
      `the base image ${subject} does not exist, or may not be pulled without a sign-in`,
      'Correct its name and tag, or sign in to its registry with docker/login-action before this step.',
    ],
  },
  {
    when: /not found/,
    say: ({ subject }) => [`the base image ${subject} does not exist`, 'Correct its name and tag.'],
  },
  {
    when: UNREACHABLE,
    say: ({ subject, error }) => [
      `the base image ${subject} cannot be pulled, its registry cannot be reached: ${error}`,
      'Correct the host in its name, or check that the builder can reach it.',
    ],
  },
  {
    when: TRANSIENT,
    kind: 'transient',
    say: ({ subject, error }) => [`the base image ${subject} cannot be pulled: ${error}`, RUN_AGAIN],
  },
];

const notLetIn: Rule['say'] = ({ host, name, plan, error }) => [
  `registry ${host} does not let ${name} be pushed: ${error}`,
  explainPushRefusal(parseRepository(plan.repository), undefined, error)[1],
];

const ofPush: readonly Rule[] = [
  {
    when: /server gave HTTP response to HTTPS client/i,
    say: ({ host }) => [
      `registry ${host} speaks plain HTTP where HTTPS is needed`,
      'Put TLS before the registry, or let the builder treat it as insecure (insecure-registries of Docker, registry.http of BuildKit).',
    ],
  },
  {
    when: /x509:|certificate/,
    say: ({ host, error }) => [
      `the builder does not accept the certificate of registry ${host}: ${error}`,
      'Give the authority’s certificate to Docker or to the builder.',
    ],
  },
  {
    when: UNREACHABLE,
    say: ({ host, error }) => [
      `the builder cannot reach registry ${host}: ${error}`,
      'Correct host and port in the image name; a builder in a container does not share the runner’s localhost unless its network is host.',
    ],
  },
  {
    when: /cannot be overwritten because|ImageTagAlreadyExists|tag is immutable/i,
    say: ({ name }) => [
      `${name} exists already and its repository forbids overwriting tags`,
      'Use a tag that names the commit, and build each commit once.',
    ],
  },
  {
    when: /write_package/,
    say: ({ host, plan }) => [
      `${host} does not let this workflow write to ${plan.repository}`,
      'Give the job `permissions: packages: write`; a package first pushed by hand needs this repository under Package settings → Manage Actions access.',
    ],
  },
  {
    when: /authorization token has expired/i,
    kind: 'sign-in lost',
    say: ({ host }) => [
      `the sign-in to ${host} expired during the build`,
      'Run the job again (the layers are cached), or use a sign-in that lasts longer.',
    ],
  },
  {
    when: /name unknown|repository with name .* does not exist|repository .* not found/i,
    say: ({ plan, error }) => explainMissingRepository(parseRepository(plan.repository), error),
  },
  {
    when: /no basic auth credentials|failed to fetch anonymous token/i,
    say: ({ host, name }) => [`registry ${host} wants a sign-in to push ${name}`, signInRemedy(host)],
  },
  { when: EXPIRED, kind: 'sign-in lost', say: notLetIn },
  { when: REFUSED, say: notLetIn },
  {
    when: TRANSIENT,
    kind: 'transient',
    say: ({ name, error }) => [`${name} could not be pushed: ${error}`, RUN_AGAIN],
  },
];

const ofBuilder: readonly Rule[] = [
  {
    when: /is not supported for the \S+ driver/,
    say: ({ error }) => [
      error.replace(/\.\s*$/, ''),
      'Use docker/setup-buildx-action before this step, or name a builder that can do it in the input `builder`.',
    ],
  },
  {
    when: /does not currently support exporting manifest lists/,
    say: () => [
      'an image for several platforms can only be pushed, not kept in Docker',
      'Push it, or build for one platform.',
    ],
  },
  {
    when: /no builder "[^"]*" found/,
    say: ({ plan }) => [
      `there is no builder ${JSON.stringify(plan.builder)}`,
      'Create it with docker/setup-buildx-action, or leave the input `builder` out.',
    ],
  },
  {
    when: /cannot connect to the docker daemon|failed to connect to the docker API/i,
    say: () => ['the Docker daemon does not answer', 'Start the Docker daemon, or let DOCKER_HOST name one that runs.'],
  },
  {
    when: /error getting credentials/,
    say: ({ error }) => [
      `a credential helper of Docker’s configuration cannot be used: ${error}`,
      'Install the helper, or remove it from credsStore or credHelpers.',
    ],
  },
  {
    when: /no space left on device/i,
    say: () => ['the disk is full', 'Free space on the runner before this step, or use a larger one.'],
  },
  {
    when: /parse error/i,
    say: (_facts, capture) => [
      `the Dockerfile cannot be read: ${capture(/parse error (.*)$/is)}`,
      'Correct that line.',
    ],
  },
  {
    when: /failed to read dockerfile/,
    say: ({ error }) => [`the Dockerfile cannot be read: ${error}`, 'Check its path.'],
  },
  {
    when: /target stage .* could not be found/,
    say: ({ plan }) => [
      `the Dockerfile has no stage ${JSON.stringify(plan.target)}`,
      'Correct the target, or name the stage with `FROM … AS …`.',
    ],
  },
];

const ofConnection: readonly Rule[] = [
  {
    when: /^/,
    say: ({ plan }) => [
      `the builder ${plan.builder ?? 'in use'} does not answer`,
      'Look at it with `docker buildx inspect`, and start, repair or remove it.',
    ],
  },
];

const RULES: Readonly<Record<Evidence['phase']['kind'], readonly Rule[]>> = {
  instruction: [...ofInstruction, ...ofBuilder],
  'base image': [...ofBaseImage, ...ofBuilder],
  push: [...ofBuilder, ...ofPush],
  connection: ofConnection,
  unknown: [...ofBuilder, ...ofPush],
};

/** The rule for a failure: the first of its phase that knows the words, else one that only repeats them. */
export function ruleFor(evidence: Evidence): Rule {
  return RULES[evidence.phase.kind].find((rule) => rule.when.test(evidence.error)) ?? LAST;
}

const LAST: Rule = {
  when: /^/,
  say: ({ name, error }) => [
    `the image ${name} could not be built: ${error === '' ? 'buildx ended without a word' : error}`,
    'The build’s last lines stand above.',
  ],
};
