import { isJsonObject, type Json, type JsonObject } from '@slipway/prefect/json';
import type { Random } from '../../fuzz/random.ts';
import { odd, oddValue, type RandomNames, spelled } from './random-values.ts';

/** One change to the default Job manifest. @param own the template’s own variables. */
type Edit = (manifest: JsonObject, random: Random, names: RandomNames, own: readonly string[]) => void;

const podTemplate = (manifest: JsonObject): JsonObject => member(member(manifest, 'spec'), 'template');
const podSpec = (manifest: JsonObject): JsonObject => member(podTemplate(manifest), 'spec');
const container = (manifest: JsonObject): JsonObject => {
  const { containers } = podSpec(manifest);
  const first = Array.isArray(containers) ? containers[0] : undefined;
  return isJsonObject(first) ? first : {};
};
const member = (holder: JsonObject, key: string): JsonObject => {
  const found = holder[key];
  if (isJsonObject(found)) return found;
  const made: JsonObject = {};
  holder[key] = made;
  return made;
};
const listed = (own: readonly string[], random: Random): Json => {
  const whole = random.chance(0.4) && own.length > 0 ? `{{ ${random.pick(own)} }}` : undefined;
  return whole ?? Array.from({ length: random.below(3) }, () => odd(random, own, 2));
};
const drop = (holder: JsonObject, random: Random): void => {
  const keys = Object.keys(holder);
  if (keys.length > 0) delete holder[random.pick(keys)];
};

export const manifestEdits: readonly Edit[] = [
  (manifest, random) => drop(member(manifest, 'metadata'), random),
  (manifest, random) => drop(container(manifest), random),
  (manifest, random) => random.chance(0.2) && drop(podSpec(manifest), random),
  (manifest, random) => random.chance(0.2) && drop(member(manifest, 'spec'), random),
  (manifest, random, names) => {
    member(manifest, 'metadata')[random.pick(['name', 'generateName'])] = random.pick([
      names.object(),
      '{{ name }}',
      'pre-{{ name }}-',
      '{{ ctx.flow_run.name }}-',
      '-',
      'None-',
      '',
    ]);
  },
  (manifest, random, names) => {
    const metadata = random.chance(0.5) ? member(manifest, 'metadata') : member(podTemplate(manifest), 'metadata');
    metadata[random.pick(['labels', 'annotations'])] = random.chance(0.2)
      ? random.pick<Json>([null, '{{ labels }}', '{{ annotations }}', {}, []])
      : Object.fromEntries(
          Array.from({ length: 1 + random.below(3) }, () => [
            names.labelKey(),
            random.chance(0.9) ? names.object() : '{{ image }}',
          ]),
        );
  },
  (manifest, random, _names, own) => {
    member(podTemplate(manifest), 'metadata')[random.pick(['namespace', 'finalizers', 'annotations'])] = odd(
      random,
      own,
      2,
    );
  },
  (manifest, random) => {
    member(manifest, 'spec').backoffLimit = random.pick<Json>([
      0,
      3,
      null,
      '0',
      spelled('0.0'),
      false,
      '{{ backoff_limit }}',
    ]);
  },
  (manifest, random, _names, own) => {
    const key = random.pick([
      'suspend',
      'ttlSecondsAfterFinished',
      'activeDeadlineSeconds',
      'podFailurePolicy',
      'unknownField',
    ]);
    member(manifest, 'spec')[key] = odd(random, own, 3);
  },
  (manifest, random) => {
    const key = random.pick(['parallelism', 'completions', 'restartPolicy']);
    podSpec(manifest)[key] = random.pick<Json>([1, spelled('1.0'), true, '1', 'Never', 'OnFailure', 2, null]);
  },
  (manifest, random, _names, own) => {
    const key = random.pick([
      'tolerations',
      'volumes',
      'initContainers',
      'imagePullSecrets',
      'topologySpreadConstraints',
    ]);
    podSpec(manifest)[key] = listed(own, random);
  },
  (manifest, random, _names, own) => {
    podSpec(manifest)[random.pick(['nodeSelector', 'affinity', 'securityContext', 'hostNetwork', 'priority'])] = odd(
      random,
      own,
      3,
    );
  },
  (manifest, random, _names, own) => {
    const { containers } = podSpec(manifest);
    if (Array.isArray(containers))
      containers.push({ name: 'sidecar', image: 'proxy:{{ tier }}', env: odd(random, own, 2) });
  },
  (manifest, random, _names, own) => {
    podSpec(manifest).initContainers = [
      { name: 'init', image: '{{ image }}', command: ['sh', '-c', 'echo {{ namespace }}'], env: odd(random, own, 1) },
    ];
  },
  (manifest, random, names, own) => {
    const name = names.environment();
    const entries: Json[] = [
      { name, value: odd(random, own, 0) },
      { name: 'POD_NAME', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } },
      { name },
      { value: 'nameless' },
      '{{ env }}',
    ];
    container(manifest).env = random.chance(0.1)
      ? oddValue(random, 2)
      : Array.from({ length: 1 + random.below(3) }, () =>
          random.pick(random.chance(0.9) ? entries.slice(0, 2) : entries),
        );
  },
  (manifest, random, _names, own) => {
    container(manifest)[random.pick(['command', 'args', 'image'])] = random.pick<Json>([
      null,
      ['a', '{{ command }}', '{{ missing }}'],
      'x {{ command }}',
      '',
      [],
      odd(random, own, 1),
    ]);
  },
  (manifest, random, _names, own) => {
    container(manifest)[random.pick(['envFrom', 'volumeMounts', 'ports', 'lifecycle', 'workingDir'])] = listed(
      own,
      random,
    );
  },
  (manifest, random, _names, own) => {
    const resources = member(container(manifest), 'resources');
    resources[random.pick(['limits', 'requests', 'claims'])] = { 'nvidia.com/gpu': odd(random, own, 0) };
  },
  (manifest, random) => {
    if (random.chance(0.3))
      manifest[random.pick(['kind', 'apiVersion', 'status'])] = random.pick<Json>(['Job', 'batch/v1', {}]);
  },
  (manifest, random) => {
    if (!random.chance(0.2)) return;
    const { containers } = podSpec(manifest);
    if (Array.isArray(containers)) podSpec(manifest).containers = [{ name: 'first', image: 'x' }, ...containers];
  },
];
