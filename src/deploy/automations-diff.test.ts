import { AutomationRecord } from '@slipway/prefect/client';
import type { JsonObject } from '@slipway/prefect/json';
import { describe, expect, it } from 'vitest';
import { automationBody, type DesiredAutomations } from './automation.ts';
import { planAutomations, STAND_IN } from './automations-diff.ts';
import { deploymentName } from './model.ts';
import { type TriggerSpec, triggerSpec } from './trigger-spec.ts';

const where = { file: 'prefect.yaml', line: 9, column: 3 };
const ID = '11111111-1111-4111-8111-111111111111';

function spec(written: JsonObject): TriggerSpec {
  return triggerSpec.parse(written);
}

function desired(...specs: JsonObject[]): DesiredAutomations {
  return {
    deployment: deploymentName('f', 'd'),
    defaultName: 'd',
    workPoolName: 'k',
    where,
    automations: specs.map((one) => ({ spec: spec(one), unknown: [], where })),
  };
}

/** An automation as the server gives it back: no owner, ids inside, sets in an order of its own. */
function stored(written: JsonObject, more: JsonObject = {}): AutomationRecord {
  const { owner_resource: _owner, ...body } = automationBody(spec(written), ID);
  return AutomationRecord.parse({
    ...body,
    id: `id of ${String(body.name)}`,
    created: '2026-01-01T10:00:00Z',
    ...more,
  });
}

function planned(want: DesiredAutomations, have: readonly AutomationRecord[], id: string | undefined = ID) {
  return planAutomations(want, id, have).automations.map(({ action, name }) => `${action} ${name}`);
}

const a = { name: 'a', expect: ['x'] };
const b = { name: 'b', expect: ['y'] };
const minutesLater = (minutes: number) => ({ created: new Date(Date.UTC(2026, 0, 1, 10, minutes)).toISOString() });

describe('the plan for the automations of a deployment', () => {
  it.each<[string, DesiredAutomations, AutomationRecord[], string[]]>([
    ['creates what is not there', desired(a, b), [], ['create a', 'create b']],
    ['leaves alone what is as wanted', desired(a, b), [stored(b), stored(a)], ['unchanged a', 'unchanged b']],
    ['changes what differs', desired({ ...a, within: 5 }), [stored(a)], ['change a']],
    [
      'removes what bears a default name',
      desired(a),
      [stored(a), stored({ ...b, name: 'd__automation_2' })],
      ['unchanged a', 'remove d__automation_2'],
    ],
    [
      'removes a stand-in that an earlier run left behind',
      desired(a),
      [stored(a), stored({ ...a, name: `a${STAND_IN}` })],
      ['unchanged a', `remove a${STAND_IN}`],
    ],
    ['is not sure of another name', desired(), [stored(b)], ['remove-if-owned b']],
    [
      'is not sure of a namesake',
      desired(a),
      [stored(a), stored(a, { id: '2' })],
      ['unchanged a', 'remove-if-owned a'],
    ],
    [
      'is not sure of what was made along with its own',
      desired(a),
      [stored(a), stored(b, minutesLater(1))],
      ['unchanged a', 'remove-if-owned b'],
    ],
    [
      'leaves alone what was made at another time',
      desired(a),
      [stored(a), stored(b, minutesLater(30))],
      ['unchanged a'],
    ],
    ['leaves alone what does more than run the deployment', desired(), [stored(b, { tags: ['mine'] })], []],
    [
      'leaves alone what runs another deployment',
      desired(),
      [AutomationRecord.parse({ ...automationBody(spec(b), 'another'), id: '1' })],
      [],
    ],
    [
      'finds each of two namesakes',
      desired(a, { ...a, within: 5 }),
      [stored({ ...a, within: 5 }), stored(a, { id: '2' })],
      ['unchanged a', 'unchanged a'],
    ],
    [
      'knows the name that an empty one becomes',
      desired({ ...a, name: null }),
      [stored({ ...a, name: null })],
      [`unchanged Automation for deployment ${ID}`],
    ],
  ])('%s', (_name, want, have, actions) => {
    expect(planned(want, have)).toEqual(actions);
  });

  it('creates all of a deployment that is yet to be made', () => {
    expect(planAutomations(desired(a), undefined, [stored(a)]).automations.map((one) => one.action)).toEqual([
      'create',
    ]);
  });

  it('does not mind ids, the order of sets, the spelling of numbers, and keys it does not know', () => {
    const trigger = {
      type: 'event',
      id: 'e',
      match: {},
      match_related: {},
      after: [],
      expect: ['y', 'x'],
      for_each: [],
      posture: 'Reactive',
      threshold: 1,
      within: 0,
      newer: true,
    };
    expect(planned(desired({ name: 'a', expect: ['x', 'y'] }), [stored(a, { trigger })])).toEqual(['unchanged a']);
  });

  it.each<[string, JsonObject, string[]]>([
    ['a label', { match: { id: 'x' } }, ['match.id: undefined → "x"']],
    ['posture and window', { posture: 'Proactive' }, ['posture: "Reactive" → "Proactive"', 'within: 0.0 → 10.0']],
    ['the state', { enabled: false }, ['enabled: true → false']],
    ['parameters', { parameters: { p: '{{ event.x }}' } }, ['parameters: null → {"p":"{{ event.x }}"}']],
    ['a delay', { schedule_after: 'PT1H' }, ['schedule_after: 0.0 → 3600.0']],
  ])('says that %s changes', (_name, more, changes) => {
    const [first] = planAutomations(desired({ ...a, ...more }), ID, [stored(a)]).automations;
    const found = first?.action === 'change' ? first.changes : [];
    expect(
      found.map(({ field, before, after }) => `${field}: ${JSON.stringify(before)} → ${JSON.stringify(after)}`),
    ).toEqual(changes);
  });

  it('says that somebody has changed what the automation does', () => {
    const edited = stored(a, { actions: [...stored(a).actions, { type: 'send-notification' }] });
    const [first] = planAutomations(desired(a), ID, [edited]).automations;
    expect(first?.action === 'change' && first.changes.map(({ field }) => field)).toEqual(['actions[1]']);
  });

  it('says what a deploy has yet to find out', () => {
    const one = { spec: spec(a), unknown: ['enabled'], where };
    const [first] = planAutomations({ ...desired(), automations: [one] }, ID, [stored(a)]).automations;
    expect(first?.action === 'change' && first.changes).toEqual([
      { field: 'enabled', before: true, after: '(known at deploy)' },
    ]);
  });
});
