import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { isJsonObject, type Json, type JsonObject, parseJson } from '../json.ts';
import { type ApplyOptions, applyValues } from './apply.ts';
import { NotSet } from './lookup.ts';

const ENV = { EV: 'ev', EMPTY: '' };
const REMOVE: ApplyOptions = { env: ENV, missing: 'remove' };
const KEEP: ApplyOptions = { env: ENV, missing: 'keep' };

interface Case {
  readonly label: string;
  readonly template: Json;
  readonly values: JsonObject;
  readonly remove: Json | typeof NotSet;
  readonly keep: Json | typeof NotSet;
}

/**
 * This one template stands in the fixture twice, with a text and with an integer as key of the values. JSON, and what we
 * template with, has text keys only.
 */
const INTEGER_KEY = JSON.stringify(['{{ 1 }}', { '1': 'i' }]);

function cases(file: string): Case[] {
  const content = parseJson(readFileSync(new URL(`./fixtures/${file}`, import.meta.url), 'utf8'));
  if (!isJsonObject(content) || !Array.isArray(content.cases)) throw new Error(`${file} has no cases`);
  return content.cases.map((item, index): Case => {
    if (!isJsonObject(item) || item.template === undefined || !isJsonObject(item.values)) throw new Error('bad case');
    const { template, values } = item;
    const [remove, keep] = [item.remove ?? item.remove_notset, item.keep ?? item.keep_notset].map(outcome);
    if (remove === undefined || keep === undefined) throw new Error('bad case');
    return { label: `${index}: ${JSON.stringify(template)}`, template, values, remove, keep };
  });
}

function outcome(result: Json | undefined): Json | typeof NotSet {
  if (!isJsonObject(result)) throw new Error('bad case');
  return result.value === undefined ? NotSet : result.value;
}

const contract = cases('templating-cases.json');

describe('applyValues, the 42 templates of the contract', () => {
  it('has them all', () => {
    expect(contract.length).toBe(42);
  });

  const ours = contract.filter(({ template, values }) => JSON.stringify([template, values]) !== INTEGER_KEY);

  it('can leave out only the one with an integer key', () => {
    expect(ours.length).toBe(41);
  });

  it.each(ours)('$label', ({ template, values, remove, keep }) => {
    expect(applyValues(template, values, REMOVE)).toEqual(remove);
    expect(applyValues(template, values, KEEP)).toEqual(keep);
  });
});

describe('applyValues, doubtful templates as prefect 3.8.8 fills them', () => {
  it.each(cases('apply-cases.json'))('$label', ({ template, values, remove, keep }) => {
    expect(applyValues(template, values, { ...REMOVE, skipPrefixes: ['ctx.'] })).toEqual(remove);
    expect(applyValues(template, values, { ...KEEP, skipPrefixes: ['ctx.'] })).toEqual(keep);
  });
});

describe('applyValues, worker.md Appendix C', () => {
  const HOME: ApplyOptions = { env: { HOME: '/root' }, missing: 'remove' };
  it.each<[Json, string, Json | typeof NotSet]>([
    ['{{ a }}', '{"a": null}', null],
    ['{{ a }}', '{}', NotSet],
    ['x{{ a }}', '{"a": null}', 'xNone'],
    ['x{{ a }}', '{"a": true}', 'xTrue'],
    ['x{{a}}y{{ b }}', '{"a": 1.0}', 'x1.0y'],
    ['{{ a }}{{ a }}', '{"a": 2}', '22'],
    [{ k: '{{ a }}', l: ['{{ a }}', '{{b}}'] }, '{"b": 3}', { l: [3] }],
    ['{{ a.b[1] }}', '{"a": {"b": [1, 2]}}', 2],
    ['x-{{ a }}', '{"a": {"z": 1}}', "x-{'z': 1}"],
    ['{{ $HOME }}', '{}', '/root'],
    ['p-{{ $HOME }}', '{}', 'p-/root'],
    [' {{ a }} ', '{"a": 5}', ' 5 '],
    ['{{ ctx.flow.name }}-{{ ctx.flow_run.id }}', '{"ctx": {"flow": {"name": "f"}, "flow_run": {"id": "i"}}}', 'f-i'],
    ['{{ a | b }}', '{"a": 1}', '{{ a | b }}'],
    ['{{a b}}', '{"a": 1}', '{{a b}}'],
    ['{{ prefect.blocks.x.y }}', '{}', '{{ prefect.blocks.x.y }}'],
    ['{{ prefect.variables.v }}', '{}', '{{ prefect.variables.v }}'],
    [{ '{{k}}': 1 }, '{"k": "z"}', { '{{k}}': 1 }],
    ['{{ a-b }}', '{"a-b": 1}', 1],
    ['{{ 0 }}', '{"0": 1}', NotSet],
    ['{{ a.0 }}', '{"a": {"0": 1}}', NotSet],
  ])('%j with %s', (template, values, expected) => {
    const parsed = parseJson(values);
    expect(applyValues(template, isJsonObject(parsed) ? parsed : {}, HOME)).toEqual(expected);
  });
});

describe('applyValues, what is ours', () => {
  it('does not fill placeholders that come out of values', () => {
    expect(applyValues('{{ a }} {{ b }}', { a: '{{ b }}', b: 1 }, REMOVE)).toBe('{{ b }} 1');
  });

  it('keeps whole placeholders without a value in lists when asked, and drops them otherwise', () => {
    const tags = ['{{ build.tag }}', 'x-{{ build.tag }}', '{{ EV }}'];
    expect(applyValues(tags, { EV: 'ev' }, { ...KEEP, wholeMissingListItems: 'keep' })).toEqual([
      '{{ build.tag }}',
      'x-{{ build.tag }}',
      'ev',
    ]);
    expect(applyValues(tags, { EV: 'ev' }, KEEP)).toEqual(['x-{{ build.tag }}', 'ev']);
  });

  it('tells of placeholders without a value, but not of skipped ones', () => {
    const names: string[] = [];
    const template = {
      a: '{{ gone }}',
      b: ['x{{ $UNSET }}'],
      c: '{{ ctx.x }} {{ prefect.blocks.a.b }}',
      d: '{{ EV }}',
    };
    applyValues(template, { EV: 1 }, { ...REMOVE, skipPrefixes: ['ctx.'], onMissing: ({ name }) => names.push(name) });
    expect(names).toEqual(['gone', '$UNSET']);
  });

  it('changes neither the template nor the values', () => {
    const template = { a: ['{{ x }}', { b: '{{ gone }}' }] };
    const values = { x: { y: [1] } };
    const before = JSON.stringify([template, values]);
    applyValues(template, values, REMOVE);
    expect(JSON.stringify([template, values])).toBe(before);
  });

  it('takes a key named __proto__ as a key like any other', () => {
    const template = parseJson('{"__proto__": "{{ a }}"}');
    expect(JSON.stringify(applyValues(template, { a: 1 }, KEEP))).toBe('{"__proto__":1}');
  });

  it('keeps how numbers are spelt', () => {
    const values = parseJson('{"a": 1.0, "b": 12345678901234567890}');
    if (!isJsonObject(values)) throw new Error('no mapping');
    expect(JSON.stringify(applyValues({ x: ['{{ a }}', '{{ b }}'] }, values, KEEP))).toBe(
      '{"x":[1.0,12345678901234567890]}',
    );
  });
});
