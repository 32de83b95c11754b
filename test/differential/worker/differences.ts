import { type JsonObject, parseJson } from '@slipway/prefect/json';
import { isLabelValue, slugName } from '../../../worker/src/render/slug.ts';
import { object } from './cases.ts';

/** In every case: where our Job differs from Prefect's, and why. Nothing else may. */
export const ALWAYS = {
  'metadata.generateName':
    'goes, and metadata.name holds a slug of it and a suffix from the run and its Scheduled state: a create whose ' +
    'answer was lost is repeated under the same name, and finds the Job instead of making a second one.',
  'the name of a Secret for the environment':
    'ends in the same suffix instead of one by chance, for the same reason; `-env-00000000` stands for that in goldens.json.',
} as const;

/** What differs in one case, by its name. */
export type Difference =
  /** Prefect refuses too, and ours says it in its own words. */
  | { readonly kind: 'words'; readonly ours: string }
  /** These labels have another value, on the Job and on its pods. */
  | { readonly kind: 'labels'; readonly ours: Readonly<Record<string, string>>; readonly why: string };

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
};

export interface Request {
  readonly method: string;
  readonly path: string;
  readonly body: JsonObject;
}

/** What we must send to Kubernetes, given what Prefect sends. @param suffix the end of our Job's name. */
export function ourRequestsGiven(about: string, theirs: readonly Request[], suffix: string): Request[] {
  const named = theirs.map(({ method, path, body }) => ({
    method,
    path: path.replace(CHANCE, `-env-${suffix}`),
    body: object.parse(parseJson(JSON.stringify(body).replaceAll(CHANCE, `-env-${suffix}`))),
  }));
  return named.map((request) =>
    /\/jobs$/.test(request.path) ? { ...request, body: ourJobGiven(about, request.body, suffix) } : request,
  );
}

const CHANCE = /-env-00000000\b/g;

/** The Job that ours must be, given Prefect's. */
function ourJobGiven(about: string, theirs: JsonObject, suffix: string): JsonObject {
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

/** What Prefect crashes a run for and ours does not, as nothing comes of it. */
const FOR_NOTHING: readonly { readonly error: RegExp; readonly why: string }[] = [
  {
    error:
      /^ValidationError: \d+ validation errors? for KubernetesWorkerJobConfiguration(?:\n(?:stream_output|(?:job|pod)_watch_timeout_seconds)\n {2}.*\n {4}.*)+$/,
    why: 'the type of a field that neither worker uses',
  },
  {
    error:
      /Job has incompatible values for the following attributes: (?:, )?(?:\/spec\/template\/spec\/(?:parallelism|completions) must have value 1(?:, )?)+ \[/,
    why: '1.0 where there has to be 1, in a field that a pod does not have',
  },
];

export function isCrashForNothing(error: string): boolean {
  return FOR_NOTHING.some((each) => each.error.test(error));
}

/** The labels that the worker itself makes of names. */
const OF_NAMES = /^(?:prefect\.io\/(?:flow-run|work-pool|worker|flow|deployment)-name|app\.kubernetes\.io\/name)$/;

/**
 * As ourRequestsGiven, for a case for which no difference is listed: where Kubernetes would refuse a label that Prefect
 * made of a name, ours says `unnamed`; where it would refuse the Job's name, ours has another one.
 */
export function ourRandomRequestsGiven(
  theirs: readonly Request[],
  ours: readonly Request[],
  suffix: string,
): Request[] {
  const isJob = ({ path }: Request): boolean => path.endsWith('/jobs');
  const names = [theirs, ours].map((requests) => object.parse(requests.find(isJob)?.body.metadata ?? {}));
  const [wanted = {}, made = {}] = names;
  const { name = `${wanted.generateName}abcde` } = wanted;
  const isRefused = !/^[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?$/.test(String(name));
  return ourRequestsGiven('', theirs, suffix).map((request) => {
    if (!isJob(request)) return request;
    const metadata = object.parse(request.body.metadata);
    const job = isRefused ? { ...request.body, metadata: { ...metadata, name: made.name ?? null } } : request.body;
    const unnamed = Object.entries(object.parse(metadata.labels)).filter(
      ([key, value]) => OF_NAMES.test(key) && !isLabelValue(String(value)),
    );
    return { ...request, body: withLabels(job, Object.fromEntries(unnamed.map(([key]) => [key, 'unnamed']))) };
  });
}
