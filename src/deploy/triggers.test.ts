import { readFileSync } from 'node:fs';
import { isJsonObject, type JsonObject, parseJson, sameJson } from '@slipway/prefect/json';
import { describe, expect, it } from 'vitest';
import type { Flow } from '../flow/model.ts';
import { problemsOf } from '../problem.ts';
import { projectFrom } from '../project/testing-project.ts';
import { KNOWN_AT_DEPLOY } from '../steps/foresight.ts';
import { automationBody, comparable } from './automation.ts';
import { type Configuration, configure } from './configuration.ts';
import { desiredDeployments, type ReadyEntry } from './desired.ts';
import { checkTriggers, desiredAutomations } from './triggers.ts';

const ENV = { TEAM: 'data' };
const flow: Flow = {
  entrypoint: 'flows.py:f',
  name: 'f',
  functionName: 'f',
  description: undefined,
  version: undefined,
  parameters: { kind: 'exact', schema: {} },
};
const revision = {
  sha: undefined,
  shortSha: undefined,
  branch: undefined,
  refName: undefined,
  dirty: false,
  committedAt: undefined,
  message: undefined,
  repositoryUrl: undefined,
  repository: undefined,
  origin: 'none',
} as never;

async function configurations(text: string): Promise<Configuration[]> {
  const { entries } = await projectFrom(text);
  const none = async () => undefined;
  return await configure(entries, {
    readers: { readBlockDocument: none, readBlockDocumentById: none, readVariable: none },
    env: ENV,
    onSecret: () => undefined,
    defaultWorkPoolName: undefined,
  });
}

/** A prefect.yaml with one deployment and these triggers, each on a line of its own from line 6. */
function withTriggers(...triggers: string[]): string {
  return [
    'deployments:',
    '- name: d',
    '  entrypoint: flows.py:f',
    '  work_pool: {name: k}',
    '  triggers:',
    ...triggers.map((one) => `  - ${one}`),
  ].join('\n');
}

async function desire(text: string, outputs: JsonObject, cloud = false) {
  const ready = (await configurations(text)).map(
    (configuration): ReadyEntry => ({
      configuration,
      flow,
      prepared: { entry: configuration.entry, outputs, images: [], pull: undefined, unknown: [] },
      pull: [],
    }),
  );
  return desiredAutomations(ready, desiredDeployments(ready, { env: ENV, revision }), { env: ENV, cloud });
}

function places(error: unknown): string[] {
  return (problemsOf(error) ?? []).map(({ message, where }) => `${where?.line}:${where?.column} ${message}`);
}

async function refusedAtFirst(text: string, cloud = false): Promise<string[]> {
  const problems = checkTriggers(await configurations(text), cloud);
  return problems.map(({ message, where }) => `${where?.line}:${where?.column} ${message}`);
}

async function refusedAfterSteps(text: string, outputs: JsonObject, cloud = false): Promise<string[]> {
  return await desire(text, outputs, cloud).then(() => [], places);
}

/** Checks 46 and 47 of contracts/deploy.md §8; their wire and final state: test/e2e/automations.test.ts. */
describe('triggers', () => {
  it('become the automations that Prefect sends', async () => {
    const read = (name: string) => readFileSync(new URL(`./fixtures/${name}`, import.meta.url), 'utf8');
    const sent = parseJson(read('triggers-wire.json'));
    const [first] = await desire(read('triggers.prefect.yaml'), { b: { stdout: 'true' } });
    const wanted = (Array.isArray(sent) ? sent : []).filter(isJsonObject);
    // Difference 5: Prefect loses a list's item that is one placeholder of a step's output.
    expect(wanted[0]?.trigger).toHaveProperty(['match_related', 'prefect.resource.name'], ['upstream']);
    Object.assign((wanted[0]?.trigger as JsonObject).match_related as JsonObject, {
      'prefect.resource.name': ['true', 'upstream'],
    });
    expect(first?.automations.length).toBe(wanted.length);
    for (const [index, body] of wanted.entries()) {
      const spec = first?.automations[index]?.spec;
      const id = String(body.owner_resource).replace('prefect.deployment.', '');
      const made = spec && comparable(automationBody(spec, id));
      expect(made !== undefined && sameJson(made, comparable(body)), JSON.stringify([made, body])).toBe(true);
    }
  });

  it('say what to write in place of what is refused', async () => {
    const problems = checkTriggers(await configurations(withTriggers('{expect: a}')), false);
    expect(problems.map(({ remedy }) => remedy)).toEqual([expect.stringMatching(/^Write a list; https:/)]);
  });

  it.each([
    ['absent', 'deployments:\n- {name: d, entrypoint: "flows.py:f", work_pool: {name: k}}'],
    ['null', withTriggers()],
    ['empty', withTriggers().replace('triggers:', 'triggers: []')],
  ])('that are %s ask for no automation', async (_name, text) => {
    expect((await desire(text, {})).map((one) => one.automations)).toEqual([[]]);
  });

  it('are filled in, but for events in parameters', async () => {
    const text = withTriggers(
      '{name: "{{ $TEAM }} {{ event.id }}", parameters: {a: "{{ event.a }}", l: ["{{ event.b }}"]}, job_variables: {x: "{{ event.x }}"}}',
      '{name: "{{ id.stdout }}", expect: ["{{ id.stdout }}"], threshold: "{{ n }}"}',
    );
    const [{ automations = [] } = {}] = await desire(text, { id: { stdout: 'abc' }, n: '3' });
    expect(automations.map(({ spec }) => spec)).toMatchObject([
      { name: 'data ', parameters: { a: '{{ event.a }}', l: ['{{ event.b }}'] }, job_variables: {} },
      { name: 'abc', trigger: { expect: ['abc'], threshold: 3 } },
    ]);
  });

  it.each<[string, string, string[]]>([
    [
      'a wrong type',
      '{type: webhook}',
      [`6:6 deployment d: triggers[0].type must be one of event, metric, compound, sequence, not "webhook"`],
    ],
    [
      'a key that is missing',
      '{type: compound, triggers: []}',
      ['6:5 deployment d: triggers[0].require must be any, all, or a whole number, not null'],
    ],
    [
      'a label that is a number',
      '{match: {a: 1}}',
      ['6:14 deployment d: triggers[0].match.a must be text or a list of texts, not the number 1'],
    ],
    [
      'a short window',
      '{posture: Proactive, within: 5}',
      ['6:26 deployment d: triggers[0].within must be a duration of 10 seconds or more, not the number 5'],
    ],
    [
      'what is wrong inside others',
      '{triggers: [{expect: [a]}, {threshold: x}]}',
      ['6:33 deployment d: triggers[0].triggers[1].threshold must be a whole number, not "x"'],
    ],
    [
      'more required than there are',
      '{triggers: [{expect: [a]}], require: 2}',
      [
        '6:33 deployment d: triggers[0].require must be any, all, or a whole number from 1 to 1, the number of its triggers, not the number 2',
      ],
    ],
    [
      'all at once',
      '{enabled: maybe, expect: a}',
      [
        '6:22 deployment d: triggers[0].expect must be a list, not "a"',
        '6:6 deployment d: triggers[0].enabled must be true or false, not "maybe"',
      ],
    ],
    [
      'a metric trigger on a server of one’s own',
      '{posture: Metric, metric: {name: lateness, operator: ">", threshold: 5}}',
      ['6:5 deployment d: triggers[0] is a metric trigger, which Prefect Cloud has and a server of one’s own has not'],
    ],
    [
      'a loop',
      '{expect: [prefect.flow-run.Running]}',
      [
        '6:6 deployment d: triggers[0] would start the deployment for every run there is, its own included, without an end',
      ],
    ],
  ])('with %s are refused before a step runs, at their place', async (_name, trigger, problems) => {
    expect(await refusedAtFirst(withTriggers(trigger))).toEqual(problems);
  });

  it.each([
    [
      'narrows what it matches',
      '{expect: [prefect.flow-run.Running], match_related: {prefect.resource.id: prefect.deployment.x}}',
    ],
    ['is switched off', '{expect: [prefect.flow-run.Running], enabled: false}'],
    ['waits for the end of runs', '{expect: [prefect.flow-run.Completed]}'],
    ['waits for absence', '{expect: [prefect.flow-run.Running], posture: Proactive}'],
  ])('are no loop when one %s', async (_name, trigger) => {
    expect(await refusedAtFirst(withTriggers(trigger))).toEqual([]);
  });

  it('may be metric triggers on Prefect Cloud', async () => {
    const metric = '{posture: Metric, metric: {name: lateness, operator: ">", threshold: 5}}';
    expect(await refusedAtFirst(withTriggers(metric), true)).toEqual([]);
  });

  it('that wait for a step are judged once it has run', async () => {
    const text = withTriggers('{enabled: "{{ on }}", threshold: "{{ n }}"}', '{posture: "{{ p }}", within: 5}');
    expect(await refusedAtFirst(text)).toEqual([]);
    expect(await refusedAfterSteps(text, { on: 'maybe', n: 2, p: 'Proactive' })).toEqual([
      '6:6 deployment d: triggers[0].enabled must be true or false, not "maybe"',
      '7:26 deployment d: triggers[1].within must be a duration of 10 seconds or more, not the number 5',
    ]);
  });

  it('in a plan may hold what only a deploy can know', async () => {
    const text = withTriggers('{enabled: "{{ on }}", expect: [a]}', '{require: "{{ n }}", triggers: [{expect: [a]}]}');
    const [{ automations = [] } = {}] = await desire(text, { on: KNOWN_AT_DEPLOY, n: KNOWN_AT_DEPLOY });
    expect(automations.map(({ unknown }) => unknown)).toEqual([['enabled'], ['require', 'trigger']]);
  });

  it('with a key that is no text are refused', async () => {
    await expect(projectFrom(withTriggers('{parameters: {1: x}}'))).rejects.toThrow('has the key 1, which is no text');
  });
});
