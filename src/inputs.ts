import { type Json, type JsonObject, parseJson } from '@slipway/prefect/json';
import { Problem, throwIfAny } from './problem.ts';

/** Everything a person wrote into the workflow, typed; nothing is looked up yet. */
export interface Inputs {
  readonly workingDirectory: string;
  readonly prefectFile: string;
  /** Names and patterns; empty means all. */
  readonly deployments: readonly string[];
  readonly mode: 'auto' | 'plan' | 'deploy';
  readonly baseImage: string;
  readonly builder: string | undefined;
  readonly registryCredentials: { readonly username: string; readonly password: string } | undefined;
  /** Where parameter schemas come from. */
  readonly schema: 'auto' | 'static' | 'image';
  readonly run: readonly RunRequest[];
  readonly wait: boolean;
  readonly runTimeoutMs: number;
  readonly cancelRuns: boolean;
  /** The environment with the Prefect inputs laid over it, for readSettings. */
  readonly prefectEnv: Readonly<Record<string, string | undefined>>;
}

/** One line of the input `run`. */
export interface RunRequest {
  /** `flow/deployment` or `deployment`, as written. */
  readonly deployment: string;
  readonly parameters: JsonObject;
}

/** Inputs whose work this version does not do yet, each with the one value that asks for nothing. */
const NOT_YET: Readonly<Record<string, { readonly neutral: readonly string[]; readonly instead: string }>> = {
  image: { neutral: [''], instead: 'Write build_docker_image and push_docker_image steps in prefect.yaml.' },
  tags: { neutral: ['', '{sha}'], instead: 'Write `tag:` in the build step of prefect.yaml.' },
  file: { neutral: [''], instead: 'Write `dockerfile:` in the build step of prefect.yaml.' },
  context: { neutral: ['', '.'], instead: 'Write `path:` in the build step of prefect.yaml.' },
  platforms: { neutral: ['', 'linux/amd64'], instead: 'Write `platform:` in the build step of prefect.yaml.' },
  target: { neutral: [''], instead: 'Write `target:` in the build step of prefect.yaml.' },
  'build-args': { neutral: [''], instead: 'Write `buildargs:` in the build step of prefect.yaml.' },
  'build-contexts': { neutral: [''], instead: 'Remove it.' },
  secrets: { neutral: [''], instead: 'Remove it.' },
  ssh: { neutral: [''], instead: 'Remove it.' },
  labels: { neutral: [''], instead: 'Write `labels:` in the build step of prefect.yaml.' },
  'cache-from': { neutral: [''], instead: 'Write `cache_from:` in the build step of prefect.yaml.' },
  'cache-to': { neutral: [''], instead: 'Write `cache_to:` in the build step of prefect.yaml.' },
  'no-cache': { neutral: ['', 'false'], instead: 'Write `nocache: true` in the build step of prefect.yaml.' },
  pull: { neutral: ['', 'false'], instead: 'Write `pull: true` in the build step of prefect.yaml.' },
  provenance: { neutral: ['', 'false'], instead: 'Remove it.' },
  sbom: { neutral: ['', 'false'], instead: 'Remove it.' },
  network: { neutral: [''], instead: 'Write `network_mode:` in the build step of prefect.yaml.' },
  'add-hosts': { neutral: [''], instead: 'Remove it.' },
  push: { neutral: ['', 'true'], instead: 'Leave the push_docker_image step out of prefect.yaml.' },
  'if-exists': { neutral: ['', 'reuse', 'rebuild'], instead: 'Remove it.' },
  registry: {
    neutral: ['', 'auto', 'generic', 'dockerhub', 'ghcr'],
    instead: 'Give registry-username and registry-password.',
  },
  'create-repository': { neutral: ['', 'false'], instead: 'Create the repository beforehand.' },
  'aws-role': { neutral: [''], instead: 'Give registry-username and registry-password.' },
  'gcp-workload-identity-provider': { neutral: [''], instead: 'Give registry-username and registry-password.' },
  'gcp-service-account': { neutral: [''], instead: 'Give registry-username and registry-password.' },
  'azure-client-id': { neutral: [''], instead: 'Give registry-username and registry-password.' },
  'azure-tenant-id': { neutral: [''], instead: 'Give registry-username and registry-password.' },
  prune: { neutral: ['', 'false'], instead: 'Delete deployments by hand.' },
  preview: { neutral: ['', 'false'], instead: 'Use mode: plan on pull requests.' },
  comment: { neutral: ['', 'auto', 'never'], instead: 'Read the plan in the job summary.' },
};

/**
 * Reads the inputs as a runner gives them: `INPUT_<NAME>` with blanks as underscores and hyphens kept, defaults from
 * action.yml already filled in, an input that is not written arriving as an empty text.
 *
 * @throws Problem or Problems: every input that is wrong, or asks for something this version cannot do, by name.
 */
export function readInputs(env: Readonly<Record<string, string>>): Inputs {
  const problems: Problem[] = [];
  const text = (name: string): string => (env[`INPUT_${name.replaceAll(' ', '_').toUpperCase()}`] ?? '').trim();
  const attempt = <T>(read: () => T, otherwise: T): T => {
    try {
      return read();
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      problems.push(error);
      return otherwise;
    }
  };

  for (const [name, { neutral, instead }] of Object.entries(NOT_YET)) {
    if (!neutral.includes(text(name))) {
      problems.push(
        new Problem(`the input ${name} is not supported by this version of Slipway yet`, { remedy: instead }),
      );
    }
  }
  const username = text('registry-username');
  const password = env['INPUT_REGISTRY-PASSWORD'] ?? '';
  if ((username === '') !== (password === '')) {
    problems.push(
      new Problem(`${username === '' ? 'registry-username' : 'registry-password'} is missing or empty`, {
        remedy:
          'Give registry-username and registry-password together; a secret that does not exist arrives as an empty text.',
      }),
    );
  }
  const overlay = {
    PREFECT_API_URL: text('prefect-api-url'),
    PREFECT_API_KEY: text('prefect-api-key'),
    PREFECT_API_AUTH_STRING: text('prefect-auth-string'),
  };
  const inputs: Inputs = {
    workingDirectory: text('working-directory') || '.',
    prefectFile: text('prefect-file') || 'prefect.yaml',
    deployments: lines(text('deployments')),
    mode: attempt(() => oneOf('mode', text('mode') || 'auto', ['auto', 'plan', 'deploy']), 'auto'),
    baseImage: text('base-image') || 'prefecthq/prefect:3-latest',
    builder: text('builder') || undefined,
    registryCredentials: username !== '' && password !== '' ? { username, password } : undefined,
    schema: attempt(() => oneOf('schema', text('schema') || 'auto', ['auto', 'static', 'image']), 'auto'),
    run: lines(text('run')).flatMap((line) => attempt(() => [readRunRequest(line)], [])),
    wait: attempt(() => readBoolean('wait', text('wait'), false), false),
    runTimeoutMs: attempt(() => readDuration('run-timeout', text('run-timeout') || '60m'), 0),
    cancelRuns: attempt(() => readBoolean('cancel-runs', text('cancel-runs'), true), true),
    prefectEnv: { ...env, ...Object.fromEntries(Object.entries(overlay).filter(([, value]) => value !== '')) },
  };
  throwIfAny(problems);
  return inputs;
}

function lines(value: string): string[] {
  return value
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '');
}

function oneOf<Word extends string>(name: string, value: string, words: readonly Word[]): Word {
  const word = words.find((one) => one === value);
  if (word !== undefined) return word;
  throw new Problem(`the input ${name} is "${value}"`, { remedy: `Use one of ${words.join(', ')}.` });
}

/** Booleans as YAML 1.2's core schema and GitHub's own toolkit write them. */
function readBoolean(name: string, value: string, otherwise: boolean): boolean {
  if (value === '') return otherwise;
  if (['true', 'True', 'TRUE'].includes(value)) return true;
  if (['false', 'False', 'FALSE'].includes(value)) return false;
  throw new Problem(`the input ${name} is "${value}"`, { remedy: 'Use true or false.' });
}

const UNIT_MS = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 } as const;

function readDuration(name: string, value: string): number {
  const match = /^(\d+(?:\.\d+)?)(ms|s|m|h)$/.exec(value);
  const amount = Number(match?.[1]);
  if (match === null || !(amount > 0)) {
    throw new Problem(`the input ${name} is "${value}"`, { remedy: 'Use a number above 0 with a unit: 90s, 60m, 2h.' });
  }
  return amount * UNIT_MS[match[2] as keyof typeof UNIT_MS];
}

function readRunRequest(line: string): RunRequest {
  const start = line.search(/\s+\{/);
  if (start === -1) return { deployment: line, parameters: {} };
  const deployment = line.slice(0, start).trim();
  let parameters: Json;
  try {
    parameters = parseJson(line.slice(start).trim());
  } catch (cause) {
    throw new Problem(`the parameters after ${deployment} in the input run are not JSON`, {
      remedy: 'Write them on one line: `hello/default {"name": "Ford"}`.',
      cause,
    });
  }
  return { deployment, parameters: parameters as JsonObject };
}
