import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { isJsonObject, type Json, type JsonObject, parseJson } from '../json.ts';
import { checkTemplate, customizeTemplate, type TemplateCustomization, WorkPoolTemplateError } from './customize.ts';
import { defaultKubernetesTemplate } from './kubernetes-template.ts';

function fixture(file: string): JsonObject {
  return mapping(parseJson(readFileSync(new URL(`./fixtures/${file}`, import.meta.url), 'utf8')));
}

function mapping(value: Json | undefined): JsonObject {
  if (!isJsonObject(value)) throw new Error('bad fixture');
  return value;
}

function defaultOf(template: JsonObject, name: string): Json | undefined {
  return mapping(mapping(mapping(template.variables).properties)[name]).default;
}

function problemsOf(template: JsonObject, customization: TemplateCustomization) {
  try {
    customizeTemplate(template, customization);
  } catch (error) {
    if (error instanceof WorkPoolTemplateError) return error.problems;
    throw error;
  }
  return [];
}

const bundled = fixture('kubernetes-base-job-template.json');
const { cases } = fixture('templates-cases.json');
const goldens = (Array.isArray(cases) ? cases : []).map(mapping).map((golden) => ({
  template:
    golden.template === 'default'
      ? defaultKubernetesTemplate
      : golden.template === 'bundled'
        ? bundled
        : mapping(golden.template),
  accepted: golden.accepted,
  label: JSON.stringify(golden.template),
}));

describe('checkTemplate, the verdicts of prefect 3.8.8', () => {
  it.each(goldens)('$label: $accepted', ({ template, accepted }) => {
    expect(checkTemplate(template).length === 0).toBe(accepted);
  });

  it('names what is undeclared and what there is', () => {
    const template = { job_configuration: { a: '{{ b }} {{ $HOME }}' }, variables: { properties: { c: {}, d: {} } } };
    expect(checkTemplate(template)).toEqual([
      {
        at: [],
        message: expect.stringMatching(/uses \{\{ b \}\}, \{\{ \$HOME \}\}, but .* has only c, d\. Declare them/),
      },
    ]);
  });

  it('also refuses variables that are no JSON Schema', () => {
    const template = { job_configuration: { a: 1 }, variables: { properties: { a: { type: 'text' } } } };
    expect(checkTemplate(template)).toEqual([
      { at: [], message: expect.stringContaining('no JSON Schema: /properties/a/type') },
    ]);
  });
});

describe('customizeTemplate, variables', () => {
  it('sets defaults and leaves everything else, the given template too', () => {
    const before = JSON.stringify(defaultKubernetesTemplate);
    const variables = {
      namespace: 'prefect',
      image_pull_policy: 'Always',
      finished_job_ttl: 60,
      env: { EXTRA_PIP_PACKAGES: 'pandas==1.2.3' },
    };
    const made = customizeTemplate(defaultKubernetesTemplate, { variables });
    for (const [name, value] of Object.entries(variables)) expect(defaultOf(made, name)).toEqual(value);
    expect(defaultOf(made, 'pod_watch_timeout_seconds')).toBe(60);
    expect(made.job_configuration).toEqual(defaultKubernetesTemplate.job_configuration);
    expect(JSON.stringify(defaultKubernetesTemplate)).toBe(before);
  });

  it('keeps the place of a default and puts a new one last', () => {
    const made = customizeTemplate(defaultKubernetesTemplate, { variables: { namespace: 'x', env: {} } });
    const properties = mapping(mapping(made.variables).properties);
    expect(Object.keys(mapping(properties.namespace))).toEqual(['default', 'description', 'title', 'type']);
    expect(Object.keys(mapping(properties.env)).at(-1)).toBe('default');
  });

  it('replaces a mapping as a whole', () => {
    const first = customizeTemplate(defaultKubernetesTemplate, { variables: { env: { A: '1' } } });
    expect(defaultOf(customizeTemplate(first, { variables: { env: { B: '2' } } }), 'env')).toEqual({ B: '2' });
  });

  it.each<[JsonObject]>([
    [{ namespace: null }],
    [{ cluster_config: { $ref: { block_document_id: 'x' } } }],
    [{ env: { A: null } }],
  ])('takes %j, as the server does', (variables) => {
    expect(problemsOf(defaultKubernetesTemplate, { variables })).toEqual([]);
  });

  it('names every unknown variable with the known ones, and every wrong default', () => {
    const problems = problemsOf(defaultKubernetesTemplate, {
      variables: { name_space: 'x', backoff_limit: '3', env: { A: 1 }, constructor: 1 },
    });
    expect(problems.map(({ at }) => at)).toEqual([
      ['variables', 'name_space'],
      ['variables', 'constructor'],
      ['variables', 'backoff_limit'],
      ['variables', 'env'],
    ]);
    expect(problems[0]?.message).toMatch(/no variable "name_space": it has name, env, labels, .*memory_limit/);
    expect(problems[2]?.message).toBe('the default of "backoff_limit" is a string, but must be an integer or null');
    expect(problems[3]?.message).toBe('the default of "env.A" is an integer, but must be a string or null');
  });

  it('refuses variables for a template that has none', () => {
    expect(problemsOf({}, { variables: { image: 'x' } })[0]?.message).toMatch(/no variable "image": it has none/);
  });
});

describe('customizeTemplate, patch', () => {
  const addVariable = (name: string, schema: JsonObject) => ({
    op: 'add',
    path: `/variables/properties/${name}`,
    value: schema,
  });
  const spec = '/job_configuration/job_manifest/spec/template/spec';

  it('adds a variable and its place after the defaults were set', () => {
    const made = customizeTemplate(defaultKubernetesTemplate, {
      variables: { namespace: 'x' },
      patch: [
        addVariable('gpus', { type: 'integer', default: 1 }),
        { op: 'add', path: `${spec}/containers/0/resources/limits/nvidia.com~1gpu`, value: '{{ gpus }}' },
        { op: 'add', path: `${spec}/nodeSelector`, value: { pool: 'flows' } },
      ],
    });
    expect(defaultOf(made, 'namespace')).toBe('x');
    expect(JSON.stringify(made.job_configuration)).toContain('"nvidia.com/gpu":"{{ gpus }}"');
    expect(JSON.stringify(made.job_configuration)).toContain('"nodeSelector":{"pool":"flows"}');
  });

  it('keeps how numbers in the template are spelt', () => {
    const template = mapping(
      parseJson('{"job_configuration": {"a": "{{ a }}"}, "variables": {"properties": {"a": {"default": 1.0}}}}'),
    );
    const made = customizeTemplate(template, { patch: [{ op: 'add', path: '/job_configuration/b', value: 1 }] });
    expect(JSON.stringify(made)).toContain('"default":1.0');
  });

  it.each<[string, Json[], (string | number)[], RegExp]>([
    [
      'an operation that leads nowhere',
      [{ op: 'remove', path: '/nope' }],
      ['patch', 0],
      /operation 0 \(path "\/nope"\): there is nothing/,
    ],
    [
      'a placeholder without a variable',
      [{ op: 'add', path: `${spec}/x`, value: '{{ gpus }}' }],
      [],
      /uses \{\{ gpus \}\}/,
    ],
    [
      'a wrong default',
      [addVariable('gpus', { type: 'integer', default: 'x' })],
      ['patch'],
      /after the patch, the default of "gpus" is a string/,
    ],
    ['no schema', [addVariable('gpus', { type: 'int' })], [], /no JSON Schema/],
    ['half a template', [{ op: 'remove', path: '/variables' }], [], /must have both/],
    ['no template', [{ op: 'replace', path: '', value: [] }], ['patch'], /leaves no mapping/],
  ])('refuses %s', (_what, patch, at, message) => {
    expect(problemsOf(defaultKubernetesTemplate, { patch })[0]).toEqual({
      at,
      message: expect.stringMatching(message),
    });
  });

  it('reports wrong variables and a wrong patch together', () => {
    const problems = problemsOf(defaultKubernetesTemplate, {
      variables: { nope: 1 },
      patch: [{ op: 'remove', path: '/nope' }],
    });
    expect(problems.map(({ at }) => at)).toEqual([
      ['variables', 'nope'],
      ['patch', 0],
    ]);
  });

  it('leaves a wrong default that it did not touch, as the server does', () => {
    const stored = {
      job_configuration: { a: '{{ a }}' },
      variables: { properties: { a: { type: 'integer', default: 'x' }, b: { type: 'string' } } },
    };
    expect(problemsOf(stored, { variables: { b: 'y' } })).toEqual([]);
  });

  it('gives an empty template back when nothing is asked', () => {
    expect(customizeTemplate({}, {})).toEqual({});
  });
});
