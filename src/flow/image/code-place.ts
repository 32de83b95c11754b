import { isJsonObject, type Json } from '@slipway/prefect/json';
import type { BuiltImage } from '../../image/model.ts';
import { SET_WORKING_DIRECTORY } from '../../project/image-directory.ts';
import { isUnknown } from '../../steps/foresight.ts';
import type { CodePlace } from './model.ts';

/** Pull steps that leave the code where it is. */
const HARMLESS: ReadonlySet<string> = new Set([
  'prefect.deployments.steps.pip_install_requirements',
  'prefect.deployments.steps.run_shell_script',
]);

/**
 * Where a worker will find a deployment's code: in its image, at the directory its pull steps change to, else the
 * image's own working directory (contracts/deploy.md §2.3, §6.10); or elsewhere, when a pull step fetches it.
 *
 * @param image the `image` job variable as it is sent; without one, the only image that the entry's steps built.
 * @param pull the pull steps as they are sent.
 */
export function codePlace(image: Json | undefined, pull: readonly Json[], built: readonly BuiltImage[]): CodePlace {
  const own = image === undefined ? onlyOne(built) : built.find((one) => one.imageRef === image || one.image === image);
  const reference = own === undefined ? image : (own.imageRef ?? own.image);
  if (typeof reference !== 'string' || reference === '') return { kind: 'elsewhere', why: 'is in no image of its own' };
  if (reference.includes('{{') || isUnknown(reference)) {
    return { kind: 'elsewhere', why: `is in an image that only the worker knows (${reference})` };
  }
  const directories: string[] = [];
  for (const step of pull) {
    const [name = '', inputs] = isJsonObject(step) ? (Object.entries(step)[0] ?? []) : [];
    if (HARMLESS.has(name)) continue;
    if (name !== SET_WORKING_DIRECTORY) return { kind: 'elsewhere', why: `comes with the pull step ${name}` };
    const directory = isJsonObject(inputs) ? inputs.directory : undefined;
    if (typeof directory !== 'string' || directory.includes('{{') || isUnknown(directory)) {
      return { kind: 'elsewhere', why: 'is in a directory that only the worker knows' };
    }
    directories.push(directory);
  }
  return { kind: 'image', image: reference, isOurs: own !== undefined, directories };
}

function onlyOne(built: readonly BuiltImage[]): BuiltImage | undefined {
  return built.length === 1 ? built[0] : undefined;
}
