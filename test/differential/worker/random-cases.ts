import { type Json, type JsonObject, parseJson } from '@slipway/prefect/json';
import { defaultKubernetesTemplate } from '@slipway/prefect/workpool';
import { Random } from '../../fuzz/random.ts';
import { Case, object } from './cases.ts';
import { manifestEdits } from './random-manifests.ts';
import { odd, oddValue, RandomNames, spelled } from './random-values.ts';

/** Environments of the worker. Prefect needs a process for each, so they are few. */
const ENVIRONMENTS: readonly Readonly<Record<string, string>>[] = [
  {},
  {},
  {},
  { REGISTRY: 'registry.example.com/$team', EMPTY: '', PREFECT_LOGGING_LEVEL: 'debug' },
  { REGISTRY: 'it’s 100% {{ image }}', PREFECT_API_KEY: 'pnu_key', PREFECT_CLIENT_CUSTOM_HEADERS: '{"a": "b"}' },
  { PREFECT_API_KEY: 'pnu_key', PREFECT_INTEGRATIONS_KUBERNETES_WORKER_CREATE_SECRET_FOR_API_KEY: 'true' },
  { REGISTRY: 'r', PREFECT_INTEGRATIONS_KUBERNETES_WORKER_STORE_ENV_AS_SECRET: 'true' },
];

const VARIABLES: JsonObject = {
  region: 'eu-west-1',
  port: 8080,
  ratio: spelled('1.0'),
  flag: true,
  nothing: null,
  zones: ['a', 'b'],
  limits: { cpu: '1', memory: null },
};
const BLOCKS: Record<string, JsonObject> = {
  'secret/token': { value: 's3cret' },
  'json/settings': { value: { image: 'block:1', env: { FROM_BLOCK: 'yes', N: 1 }, list: [1, 'two'] } },
  'docker/creds': { username: 'u', password: 'p', depth: { a: { b: 'c' } } },
  '0f6c9d2e-1111-4222-8333-000000000001': { value: { a: 'by id' }, other: [1] },
};

/** The case of a seed: job templates and variables that nobody wrote by hand, often valid, sometimes just not. */
export function randomCase(seed: number): Case {
  const random = new Random(seed);
  const names = new RandomNames(random);
  const own = [...new Set(Array.from({ length: random.below(4) }, () => names.variable()))];
  const template = editedTemplate(random, names, own);
  const schema = object.parse(object.parse(template.variables).properties);
  const known = [...Object.keys(schema), ...own];
  return Case.parse({
    about: `seed ${seed}`,
    template: [{ op: 'replace', path: '', value: template }],
    deployment: random.chance(0.8) ? jobVariables(random, names, known, 6) : {},
    run: random.chance(0.4) ? jobVariables(random, names, known, 3) : {},
    noDeployment: random.chance(0.1),
    names: Object.fromEntries(
      ['flow', 'deployment', 'run', 'pool', 'worker']
        .filter(() => random.chance(0.3))
        .map((kind) => [kind, kind === 'run' ? names.object() : names.checked()]),
    ),
    parameters: random.chance(0.2) ? { x: oddValue(random, 2) } : {},
    tags: random.chance(0.2) ? [names.object(), 'b'] : [],
    blocks: BLOCKS,
    variables: VARIABLES,
    env: random.pick(ENVIRONMENTS),
  });
}

function editedTemplate(random: Random, names: RandomNames, own: readonly string[]): JsonObject {
  const template = object.parse(parseJson(JSON.stringify(defaultKubernetesTemplate)));
  const variables = object.parse(template.variables);
  const properties = object.parse(variables.properties);
  for (const name of own) {
    properties[name] = random.chance(0.6) ? { title: name, default: valueFor(random, names, name) } : { title: name };
  }
  for (const name of Object.keys(properties)) {
    const property = object.parse(properties[name]);
    if (random.chance(0.08)) delete properties[name];
    else if (random.chance(0.2)) properties[name] = { ...property, default: valueFor(random, names, name) };
    else if (random.chance(0.05)) {
      properties[`my_${name}`] = property;
      delete properties[name];
    }
  }
  if (random.chance(0.2)) variables.required = Object.keys(properties).filter(() => random.chance(0.2));
  const job = object.parse(template.job_configuration);
  const manifest = object.parse(job.job_manifest);
  for (const edit of manifestEdits) if (random.chance(0.15)) edit(manifest, random, names, own);
  for (const key of Object.keys(job)) {
    if (key === 'job_manifest') continue;
    if (random.chance(0.04)) delete job[key];
    else if (random.chance(0.06)) job[key] = valueFor(random, names, key);
  }
  if (random.chance(0.1)) job[names.variable()] = odd(random, own, 2);
  return template;
}

function jobVariables(random: Random, names: RandomNames, known: readonly string[], most: number): JsonObject {
  const result: JsonObject = {};
  for (let left = random.below(most + 1); left > 0; left -= 1) {
    const name = random.chance(0.9) ? random.pick(known) : random.pick(DOTTED);
    result[name] = valueFor(random, names, name);
  }
  return result;
}

const DOTTED = [
  'env.DOTTED',
  'env.A',
  'labels.team',
  'labels.a/b',
  'env[A]',
  'unknown.x',
  'image.tag',
  'extra',
  '.x',
  'a..b',
];

/** A value that suits a job variable, or now and then one that does not. */
function valueFor(random: Random, names: RandomNames, name: string): Json {
  if (random.chance(0.07)) return oddValue(random, 2);
  if (random.chance(0.05)) return random.pick<Json>([null, '', [], {}, 0, false]);
  switch (name) {
    case 'env':
      return random.chance(0.7) ? envMapping(random, names) : envList(random, names);
    case 'labels':
    case 'annotations':
      return Object.fromEntries(
        Array.from({ length: random.below(4) }, () => [names.labelKey(), random.chance(0.95) ? names.object() : 1]),
      );
    case 'command':
      return random.pick(COMMANDS);
    case 'image':
      return random.pick([
        'flows:1',
        '{{ prefect.variables.region }}/flows',
        '{{ $REGISTRY }}/a',
        'flows@sha256:0',
        '',
      ]);
    case 'name':
      return random.chance(0.5) ? names.object() : random.pick(NAME_TEMPLATES);
    case 'namespace':
    case 'service_account_name':
      return random.pick([
        'flows',
        'team-a',
        '{{ prefect.variables.region }}',
        '{{ prefect.blocks.json.settings.image }}',
      ]);
    case 'finished_job_ttl':
    case 'backoff_limit':
    case 'job_watch_timeout_seconds':
    case 'pod_watch_timeout_seconds':
      return random.pick<Json>([0, 1, 60, '60', spelled('0.0'), spelled('60.0'), -1, true]);
    case 'stream_output':
      return random.pick<Json>([true, false, 'true', 'no', 1, 0]);
    case 'cluster_config':
      return random.pick<Json>([null, { config: { a: 1 }, context_name: 'c' }, { config: 'a: 1', context_name: 'c' }]);
    default:
      return random.chance(0.5) ? odd(random, ['region'], 2) : oddValue(random, 2);
  }
}

const COMMANDS: readonly Json[] = [
  'prefect flow-run execute',
  'python -m "a b" \'c d\'',
  "it's",
  'a\\ b \\',
  'sh -c "echo \\"$HOME\\" # no comment"',
  'a # b',
  '  a\tb\nc  ',
  'é “quoted” \u00a0x',
  '""',
  ' ',
  'echo {{ prefect.variables.port }}',
  ['python', '-m', 'flow'],
  'a;b && c | d > e',
];
const NAME_TEMPLATES: readonly string[] = [
  '{{ ctx.flow.name }}-{{ ctx.flow_run.id }}',
  '{{ ctx.flow_run.name }}',
  '{{ ctx.flow_run.parameters.x }}',
  '{{ ctx.flow_run.tags }}',
  '{{ ctx.flow_run.tags[0] }}-x',
  '{{ ctx.flow.id }}{{ ctx.missing }}',
  'a-{{ ctx.flow_run.missing }}',
  '{{ $REGISTRY }}',
  '{{ ctx.flow_run.deployment_id }}',
  '{{ prefect.variables.region }}-{{ ctx.flow.name }}',
];

function envMapping(random: Random, names: RandomNames): JsonObject {
  return Object.fromEntries(
    Array.from({ length: random.below(5) }, () => [names.environment(), odd(random, ['image'], 1)]),
  );
}

function envList(random: Random, names: RandomNames): Json[] {
  return Array.from({ length: random.below(4) }, (): Json => {
    const name = names.environment();
    const secret = { secretKeyRef: { name: 's', key: '{{ prefect.variables.region }}' } };
    const entries: Json[] = [
      { name, value: odd(random, ['image'], 1) },
      { name, value: 'plain' },
      { name, valueFrom: secret },
      { name, value: 'both', valueFrom: secret },
      { name },
      { value: 'nameless' },
    ];
    return random.chance(0.03) ? 'text' : random.pick(random.chance(0.8) ? entries.slice(0, 3) : entries);
  });
}
