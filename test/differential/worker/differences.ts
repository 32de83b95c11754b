import type { JsonObject } from '@slipway/prefect/json';
import { slugName } from '../../../worker/src/render/slug.ts';
import { object } from './cases.ts';

/** In every case: where our Job differs from Prefect's, and why. Nothing else may. */
export const ALWAYS = {
  'metadata.generateName':
    'goes, and metadata.name holds a slug of it and a suffix from the run and its Scheduled state: a create whose ' +
    'answer was lost is repeated under the same name, and finds the Job instead of making a second one.',
} as const;

/** What differs in one case, by its name. */
export type Difference =
  /** Prefect refuses too, and ours says it in its own words. */
  | { readonly kind: 'words'; readonly ours: string }
  /** Prefect sends a Job; this worker does not start with those settings. */
  | { readonly kind: 'not yet'; readonly ours: string; readonly why: string }
  /** These labels have another value, on the Job and on its pods. */
  | { readonly kind: 'labels'; readonly ours: Readonly<Record<string, string>>; readonly why: string };

const NO_SECRETS = {
  kind: 'not yet',
  ours: 'this worker does not make Secrets yet',
  why: 'a key must not stand in the Job where it was asked to be kept out, so the worker refuses to start',
} as const;

export const DIFFERENCES: Readonly<Record<string, Difference>> = {
  'env object of the deployment, reference of the run': {
    kind: 'words',
    ours: 'The deployment’s "env" is a mapping and the run’s is not, so they cannot be merged. Write both as mappings.',
  },
  'annotations that are numbers': {
    kind: 'words',
    ours: '"annotations.a" is a number, but must be a text. Write it in quotes.',
  },
  'labels that are numbers': {
    kind: 'words',
    ours: '"labels.a" is a number, but must be a text. Write it in quotes.',
  },
  'a command that is a list': { kind: 'words', ours: '"command" is a list, but must be a text.' },
  'a block that does not exist': {
    kind: 'words',
    ours:
      'There is no block "nope" of type "string", which {{ prefect.blocks.string.nope }} refers to. ' +
      'Create it, correct the name, or take the reference out.',
  },
  'a path that a block does not have': {
    kind: 'words',
    ours:
      'The block that {{ prefect.blocks.json.deep.no }} refers to has nothing at "no". ' +
      'Correct the part after the block name, or leave it out to get the whole block.',
  },
  'run with a name of symbols': {
    kind: 'labels',
    ours: { 'prefect.io/flow-run-name': 'unnamed' },
    why: 'Kubernetes refuses the label that Prefect makes of such a name, and the run crashes',
  },
  'a Secret made for the API key': NO_SECRETS,
  'a Secret made for the API key, by the old name': NO_SECRETS,
  'a Secret to be made, and no API key': NO_SECRETS,
  'a Secret to be made, and one that exists': NO_SECRETS,
  'the environment in a Secret': NO_SECRETS,
  'the environment in a Secret, and one for the API key': NO_SECRETS,
};

/** The Job that ours must be, given Prefect's. @param suffix the end of our Job's name. */
export function ourJobGiven(about: string, theirs: JsonObject, suffix: string): JsonObject {
  const { generateName, name: fixed, ...metadata } = object.parse(theirs.metadata);
  const prefix = [fixed, generateName].find((text) => typeof text === 'string');
  const name = `${slugName(String(prefix)) ?? 'prefect-job'}-${suffix}`;
  const job = { ...theirs, metadata: { ...metadata, name } };
  const difference = DIFFERENCES[about];
  return difference?.kind === 'labels' ? withLabels(job, difference.ours) : job;
}

function withLabels(job: JsonObject, labels: Readonly<Record<string, string>>): JsonObject {
  const labelled = (holder: JsonObject): JsonObject => {
    const metadata = object.parse(holder.metadata);
    return { ...holder, metadata: { ...metadata, labels: { ...object.parse(metadata.labels), ...labels } } };
  };
  const spec = object.parse(job.spec);
  return { ...labelled(job), spec: { ...spec, template: labelled(object.parse(spec.template)) } };
}
