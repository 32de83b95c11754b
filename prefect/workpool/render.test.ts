import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { isJsonObject, type Json, type JsonObject, parseJson } from '../json.ts';
import { defaultKubernetesTemplate } from './kubernetes-template.ts';
import { JobVariablesError, mergeJobVariables, renderJobConfiguration } from './render.ts';

function mapping(value: Json | undefined): JsonObject {
  if (!isJsonObject(value)) throw new Error('bad fixture');
  return value;
}

function textOr(value: Json | undefined): string {
  return typeof value === 'string' ? value : '';
}

const file = mapping(parseJson(readFileSync(new URL('./fixtures/render-cases.json', import.meta.url), 'utf8')));
const env = Object.fromEntries(Object.entries(mapping(file.env)).map(([name, value]) => [name, textOr(value)]));

/** The template that a case means, as make-goldens.py builds it. */
function built(template: Json | undefined): JsonObject {
  if (template === 'default') return defaultKubernetesTemplate;
  const { configuration, defaults, ...own } = mapping(template);
  if (!isJsonObject(defaults)) return own;
  const variables = mapping(defaultKubernetesTemplate.variables);
  const properties = Object.entries(mapping(variables.properties)).map(([name, property]) => {
    const changed = defaults[name];
    return [name, changed === undefined ? property : { ...mapping(property), default: changed }] as const;
  });
  return {
    job_configuration: { ...mapping(defaultKubernetesTemplate.job_configuration), ...mapping(configuration) },
    variables: { ...variables, properties: Object.fromEntries(properties) },
  };
}

const goldens = (Array.isArray(file.cases) ? file.cases : []).map(mapping).map((golden) => ({
  input: {
    template: built(golden.template),
    deploymentVariables: golden.deployment === null ? null : mapping(golden.deployment),
    runVariables: golden.run === null ? null : mapping(golden.run),
    env,
  },
  expected: golden.configuration,
  label: JSON.stringify([golden.template, golden.deployment, golden.run]),
}));

describe('renderJobConfiguration, as prefect 3.8.8 merges and fills', () => {
  it('has more than forty combinations', () => {
    expect(goldens.length).toBeGreaterThan(70);
  });

  it.each(goldens.filter(({ expected }) => expected !== undefined))('$label', ({ input, expected }) => {
    // As text, so that the order of keys and the spelling of numbers count.
    expect(JSON.stringify(renderJobConfiguration(input), null, 1)).toBe(JSON.stringify(expected, null, 1));
  });

  it.each(goldens.filter(({ expected }) => expected === undefined))('refuses $label', ({ input }) => {
    expect(() => renderJobConfiguration(input)).toThrow(JobVariablesError);
  });
});

describe('renderJobConfiguration, errors', () => {
  const pool = built({ configuration: {}, defaults: { env: { POOL: '1' } } });
  it.each<[string, JsonObject, JsonObject, JsonObject, RegExp]>([
    [
      'a run’s env that is no mapping',
      pool,
      { env: { A: '1' } },
      { env: 5 },
      /deployment’s "env" is a mapping and the run’s is not/,
    ],
    ['a pair without a name', pool, { env: { A: '1' } }, { env: [[1, 'x']] }, /cannot be merged/],
    [
      'a deployment’s list over a pool’s mapping',
      pool,
      { env: [{ name: 'A', value: '1' }] },
      {},
      /job variables’ "env" is not/,
    ],
    ['a path through a value', pool, { 'a.b': 1, 'a.b.c': 2 }, {}, /"a\.b\.c" leads through "b"/],
    ['an empty template', {}, {}, {}, /no usable base job template/],
  ])('%s', (_what, template, deploymentVariables, runVariables, message) => {
    expect(() => renderJobConfiguration({ template, deploymentVariables, runVariables, env: {} })).toThrow(message);
  });
});

describe('mergeJobVariables', () => {
  it('gives the configuration unfilled and what fills it, and changes nothing', () => {
    const template = built({ configuration: {}, defaults: { env: { A: 'pool' } } });
    const [deployment, run]: JsonObject[] = [
      { env: { B: 'd' }, 'labels.x': '1' },
      { image: 'r', env: { A: 'r' } },
    ];
    const before = JSON.stringify([template, deployment, run]);
    const merged = mergeJobVariables(template, deployment ?? {}, run ?? {});
    expect(merged.configuration).toMatchObject({ env: { A: 'r', B: 'd' }, namespace: '{{ namespace }}' });
    expect(merged.values).toMatchObject({
      env: { B: 'd', A: 'r' },
      labels: { x: '1' },
      image: 'r',
      namespace: 'default',
    });
    expect(merged.values).not.toHaveProperty('command');
    expect(JSON.stringify([template, deployment, run])).toBe(before);
  });
});
