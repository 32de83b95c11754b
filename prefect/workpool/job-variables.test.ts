import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { isJsonObject, type Json, type JsonObject, parseJson } from '../json.ts';
import { validateDefaults, validateJobVariables } from './job-variables.ts';
import { defaultKubernetesTemplate } from './kubernetes-template.ts';

function text(file: string): string {
  return readFileSync(new URL(`./fixtures/${file}`, import.meta.url), 'utf8');
}

function mapping(value: Json | undefined): JsonObject {
  if (!isJsonObject(value)) throw new Error('bad fixture');
  return value;
}

const bundled = mapping(parseJson(text('kubernetes-base-job-template.json')));
const file = mapping(parseJson(text('variables-cases.json')));
const templates: JsonObject = { ...mapping(file.templates), default: defaultKubernetesTemplate, bundled };

/** One line is cut off in the middle of its job variables; the answer, in Python's spelling, repeats them. */
function measured(): { label: string; variables: JsonObject; status: number; answer: string }[] {
  return text('kubernetes-job-variables-results.txt')
    .split('\n')
    .flatMap((line) => {
      const found = /^(\{.*) -> (\d+) (.*)$/.exec(line);
      if (found === null) return [];
      const [, asked = '', status = '', answer = ''] = found;
      const whole = status === '201' ? answer.replaceAll("'", '"').replaceAll('None', 'null') : asked;
      return [{ label: line, variables: mapping(parseJson(whole)), status: Number(status), answer }];
    });
}

describe('validateJobVariables, the answers of a server', () => {
  it('has them all', () => {
    expect(measured().length).toBe(22);
  });

  it.each(measured())('$label', ({ variables, status, answer }) => {
    const places = validateJobVariables(bundled, variables).map(({ path }) => path);
    // 503 was a busy database, no verdict: the server's code accepts a null namespace in a new deployment.
    if (status === 422) expect(places).toEqual([/field '([^']*)'/.exec(answer)?.[1]]);
    else expect(places).toEqual([]);
  });
});

const verdicts = (Array.isArray(file.cases) ? file.cases : []).map(mapping).map((golden) => ({
  template: mapping(templates[String(golden.template)]),
  values: mapping(golden.values),
  create: golden.create,
  update: golden.update,
  label: `${String(golden.template)} ${JSON.stringify(golden.values)}`,
}));

describe.each([
  'create',
  'update',
] as const)('validateJobVariables, the verdicts of prefect 3.8.8 on %s', (occasion) => {
  it.each(verdicts.filter((verdict) => verdict[occasion] === null))('accepts $label', ({ template, values }) => {
    expect(validateJobVariables(template, values, occasion)).toEqual([]);
  });

  it.each(verdicts.filter((verdict) => verdict[occasion] !== null))('refuses $label', ({
    template,
    values,
    ...verdict
  }) => {
    const places = validateJobVariables(template, values, occasion).map(({ path }) => path);
    // Where the server names a whole value or nothing, ours may name what is wrong inside it.
    const place = String(verdict[occasion]);
    expect(places.some((one) => one === place || one.startsWith(place))).toBe(true);
  });
});

describe('validateJobVariables, what it says', () => {
  it.each<[JsonObject, string, string]>([
    [{ image: 5 }, 'image', 'is an integer, but must be a string or null'],
    [{ command: ['python'] }, 'command', 'is a list, but must be a string or null'],
    [{ env: { A: 1 } }, 'env.A', 'is an integer, but must be a string or null'],
    [{ env: [{ name: 'A', value: '1' }] }, 'env', 'is a list, but must be a mapping or null'],
    [{ labels: { a: null } }, 'labels.a', 'is null, but must be a string'],
    [{ image_pull_policy: 'Sometimes' }, 'image_pull_policy', 'must be one of "IfNotPresent", "Always", "Never"'],
    [{ backoff_limit: -1 }, 'backoff_limit', 'must be >= 0'],
    [{ cluster_config: 'x' }, 'cluster_config', 'is a string, but must be a KubernetesClusterConfig or null'],
    [{ cluster_config: { config: {} } }, 'cluster_config', 'must have "context_name"'],
    [
      { cluster_config: { config: 5, context_name: 'x' } },
      'cluster_config.config',
      'is an integer, but must be a mapping',
    ],
    [
      { finished_job_ttl: '{{ ctx.flow_run.name }}' },
      'finished_job_ttl',
      'is a string, but must be an integer or null (a placeholder counts as a string, whatever it becomes)',
    ],
  ])('%j', (variables, path, message) => {
    expect(validateJobVariables(defaultKubernetesTemplate, variables)).toContainEqual({ path, message });
  });

  it('names every place at once', () => {
    const problems = validateJobVariables(defaultKubernetesTemplate, { image: 5, labels: { a: 1, b: 2 } });
    expect(problems.map(({ path }) => path).sort()).toEqual(['image', 'labels.a', 'labels.b']);
  });

  it('names an unknown key that the template forbids', () => {
    expect(validateJobVariables(mapping(templates.strict), { z: 1 })).toEqual([
      { path: 'z', message: 'is not allowed by the work pool’s template' },
    ]);
  });

  it('never says the value, which may come out of a block', () => {
    const secret = 'hunter2';
    const problems = validateJobVariables(defaultKubernetesTemplate, {
      env: secret,
      image_pull_policy: secret,
      cluster_config: { config: secret },
      labels: { a: [secret] },
    });
    expect(problems.length).toBe(5);
    expect(JSON.stringify(problems)).not.toContain(secret);
  });

  it('says why a schema cannot be used', () => {
    const broken = { job_configuration: { a: 1 }, variables: { properties: { a: { type: 'text' } } } };
    expect(validateJobVariables(broken, { b: 1 })).toEqual([
      { path: '', message: expect.stringMatching(/variables are no JSON Schema: \/properties\/a\/type/) },
    ]);
  });
});

describe('validateDefaults', () => {
  const template = (properties: JsonObject) => ({
    job_configuration: { a: 1 },
    variables: { type: 'object', properties },
  });

  it('finds the defaults of the two templates of Prefect in order', () => {
    expect(validateDefaults(defaultKubernetesTemplate)).toEqual([]);
    expect(validateDefaults(bundled)).toEqual([]);
  });

  it('names wrong defaults, only of the variables asked for', () => {
    const wrong = template({ a: { type: 'string', default: 1 }, b: { type: 'integer', default: 'x' } });
    expect(validateDefaults(wrong).map(({ path }) => path)).toEqual(['a', 'b']);
    expect(validateDefaults(wrong, ['b']).map(({ path }) => path)).toEqual(['b']);
  });

  it('leaves a default that refers to a block to the server', () => {
    const reference = { $ref: { block_document_id: '11209c72-595d-4a3d-987d-c5453af435b9' } };
    expect(validateDefaults(template({ a: { type: 'string', default: reference } }))).toEqual([]);
  });
});
