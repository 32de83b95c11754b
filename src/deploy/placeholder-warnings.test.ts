import type { JsonObject } from '@slipway/prefect/json';
import { describe, expect, it } from 'vitest';
import type { Flow } from '../flow/model.ts';
import { projectFrom } from '../project/testing-project.ts';
import { KNOWN_AT_DEPLOY } from '../steps/foresight.ts';
import { configure } from './configuration.ts';
import { placeholderWarnings } from './placeholder-warnings.ts';

const flow: Flow = {
  entrypoint: 'flows.py:f',
  name: 'f',
  functionName: 'f',
  description: 'A docstring with {{ nothing }}.',
  version: undefined,
  parameters: { kind: 'exact', schema: {} },
};

/** The warnings for one deployment with these lines, from line 5, as `line:column message`. */
async function warnings(lines: readonly string[], outputs: JsonObject = {}): Promise<string[]> {
  const head = ['deployments:', '- name: d', '  entrypoint: flows.py:f', '  version: "1"'];
  const { entries } = await projectFrom([...head, ...lines.map((line) => `  ${line}`)].join('\n'));
  const none = async () => undefined;
  const configurations = await configure(entries, {
    readers: { readBlockDocument: none, readBlockDocumentById: none, readVariable: none },
    env: { TEAM: 'data' },
    onSecret: () => undefined,
    defaultWorkPoolName: 'k',
  });
  const ready = configurations.map((configuration) => ({
    configuration,
    flow,
    prepared: { entry: configuration.entry, outputs, images: [], pull: undefined, unknown: [] },
    pull: [{ 'a.b': { c: '{{ later.stdout }}' } }],
  }));
  return placeholderWarnings(ready, { TEAM: 'data' }).map(({ message, where }) => {
    return `${where.line}:${where.column} ${message}`;
  });
}

/** Check 20 of contracts/deploy.md §8. */
describe('a placeholder that nothing fills', () => {
  it('is warned of once, at its place, and what becomes of its key', async () => {
    expect(await warnings(['work_pool: {job_variables: {image: "{{ this-is-wrong }}", a: b}}'])).toEqual([
      '5:31 deployment d: nothing has a value for {{ this-is-wrong }}, so work_pool.job_variables.image is left out; ' +
        'is it the id of a step, and the name of one of its outputs?',
    ]);
  });

  it('is warned of in a list, inside a text and as a variable of the environment', async () => {
    const found = await warnings(['tags: ["{{ a.b }}", "x-{{ c }}{{ c }}", y]', 'parameters: {p: "{{ $UNSET }}"}']);
    expect(found.map((one) => one.slice(0, one.indexOf(';')))).toEqual([
      '5:10 deployment d: nothing has a value for {{ a.b }}, so tags.0 is left out',
      '5:23 deployment d: nothing has a value for {{ c }}, so tags.1 is sent without it',
      '6:16 deployment d: nothing has a value for {{ $UNSET }}, so parameters.p is sent without it',
    ]);
  });

  it.each<[string, string[]]>([
    ['a step has it', ['tags: ["{{ sha.stdout }}"]']],
    ['the environment has it', ['tags: ["{{ $TEAM }}", "{{ TEAM }}"]']],
    ['the worker will have it', ['parameters: {p: "{{ ctx.flow_run.id }}"}']],
    ['it is a variable, which is empty then', ['parameters: {p: "{{ prefect.variables.none }}"}']],
    ['it stands in the docstring, the pull steps or a trigger', ['triggers: [{parameters: {a: "{{ event.id }}"}}]']],
    ['it decides on a schedule', ['schedules: [{cron: "@daily", active: "{{ nope.stdout }}"}]']],
  ])('is not warned of when %s', async (_when, lines) => {
    expect(await warnings(lines, { sha: { stdout: 'abc' } })).toEqual([]);
  });
});

describe('tags that a placeholder makes', () => {
  it.each<[string, string, number]>([
    ['one text, which is split', '"{{ $TEAM }}"', 1],
    ['one text of a step, which is split', '"{{ sha.stdout }}"', 1],
    ['a list', '"{{ build.additional_tags }}"', 0],
    ['one character', '"{{ one.stdout }}"', 0],
    ['items of a list', '["{{ $TEAM }}"]', 0],
    ['what a deploy has yet to find out', '"{{ later.stdout }}"', 0],
  ])('are warned of when they are one text: %s', async (_what, tags, count) => {
    const found = await warnings([`tags: ${tags}`], {
      sha: { stdout: 'abc' },
      one: { stdout: 'a' },
      later: { stdout: KNOWN_AT_DEPLOY },
      build: { additional_tags: ['x'] },
    });
    expect(found).toHaveLength(count);
    expect(found.join()).toMatch(count === 0 ? /^$/ : /^5:3 deployment d: tags come to one text/);
  });
});
