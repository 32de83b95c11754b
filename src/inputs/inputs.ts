import { throwIfAny } from '../problem.ts';
import { type ImageInputs, readImageInputs } from './image.ts';
import { refuseNotYet } from './not-yet.ts';
import { InputReader } from './reader.ts';
import { type RegistryInputs, readRegistryInputs } from './registry.ts';
import { type RunRequest, readRunRequests } from './run-requests.ts';

/** Everything a person wrote into the workflow, typed; nothing is looked up yet. */
export interface Inputs {
  readonly workingDirectory: string;
  readonly prefectFile: string;
  /** Names and patterns; empty means all. */
  readonly deployments: readonly string[];
  readonly mode: 'auto' | 'plan' | 'deploy';
  /** Content that strangers can choose may be pushed and deployed too. */
  readonly allowUntrusted: boolean;
  /** The action's own image; undefined: only what build steps in prefect.yaml say. */
  readonly image: ImageInputs | undefined;
  /** `reuse`: an image of this clean commit that exists with the same build inputs is not built again. */
  readonly ifExists: 'reuse' | 'rebuild';
  /** What a generated Dockerfile begins with, the action's own and those of build steps. */
  readonly baseImage: string;
  /** The buildx builder for every image; undefined: buildx's current one. */
  readonly builder: string | undefined;
  readonly registry: RegistryInputs;
  /** Where parameter schemas come from. */
  readonly schema: 'auto' | 'static' | 'image';
  readonly run: readonly RunRequest[];
  readonly wait: boolean;
  readonly runTimeoutMs: number;
  readonly cancelRuns: boolean;
  /** The environment with the Prefect inputs laid over it, for readSettings. */
  readonly prefectEnv: Readonly<Record<string, string | undefined>>;
}

/**
 * Reads the inputs as a runner gives them.
 *
 * @throws Problem or Problems: every input that is wrong, or asks for something this version cannot do, by name.
 */
export function readInputs(env: Readonly<Record<string, string>>): Inputs {
  const reader = new InputReader(env);
  refuseNotYet(reader);
  const overlay = {
    PREFECT_API_URL: reader.text('prefect-api-url'),
    PREFECT_API_KEY: reader.text('prefect-api-key'),
    PREFECT_API_AUTH_STRING: reader.text('prefect-auth-string'),
  };
  const inputs: Inputs = {
    workingDirectory: reader.text('working-directory') || '.',
    prefectFile: reader.text('prefect-file') || 'prefect.yaml',
    deployments: reader.lines('deployments'),
    mode: reader.oneOf('mode', ['auto', 'plan', 'deploy'], 'auto'),
    allowUntrusted: reader.flag('allow-untrusted', false),
    image: readImageInputs(reader),
    ifExists: reader.oneOf('if-exists', ['reuse', 'rebuild'], 'reuse'),
    baseImage: reader.text('base-image') || 'prefecthq/prefect:3-latest',
    builder: reader.optional('builder'),
    registry: readRegistryInputs(reader),
    schema: reader.oneOf('schema', ['auto', 'static', 'image'], 'auto'),
    run: readRunRequests(reader),
    wait: reader.flag('wait', false),
    runTimeoutMs: reader.duration('run-timeout', '60m'),
    cancelRuns: reader.flag('cancel-runs', true),
    prefectEnv: { ...env, ...Object.fromEntries(Object.entries(overlay).filter(([, value]) => value !== '')) },
  };
  throwIfAny(reader.problems);
  return inputs;
}
