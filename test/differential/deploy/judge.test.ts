import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { JsonObject } from '@slipway/prefect/json';
import { describe, expect, it } from 'vitest';
import { compareRecordings } from './compare.ts';
import { DEVIATIONS, type Deviation, judge, seenNowhere } from './deviations.ts';
import { readProjects } from './project.ts';
import { type Records, type Span, snapshotOf } from './snapshot.ts';

const recording = (first: JsonObject) => ({ first, again: {}, changed: {} });
const places = (theirs: JsonObject, ours: JsonObject): string[] =>
  compareRecordings('p', recording(theirs), recording(ours)).map(({ path }) => path);

describe('two recordings differ', () => {
  it.each<[string, JsonObject, JsonObject, string[]]>([
    ['nowhere when only the order of keys does', { a: 1, b: 2 }, { b: 2, a: 1 }, []],
    ['where a value is another', { a: { b: [1, 2] } }, { a: { b: [1, 3] } }, ['a > b > 1']],
    ['where one has nothing', { a: { b: 1 } }, { a: {} }, ['a > b']],
    ['where a list is longer', { a: [1] }, { a: [1, 2] }, ['a > 1']],
    ['where null stands for nothing', { a: null }, {}, ['a']],
    ['where a text stands for a number', { a: 1 }, { a: '1' }, ['a']],
  ])('%s', (_, theirs, ours, expected) => {
    expect(places(theirs, ours)).toEqual(expected);
  });
});

describe('the verdict', () => {
  const differences = compareRecordings('p', recording({ a: 'None', b: 1 }), recording({ a: null, b: 2 }));
  const deviation: Deviation = { row: 6, why: '', projects: ['p'], path: /^a$/, prefect: 'None', action: null };

  it('leaves what no deviation explains', () => {
    expect(judge({ name: 'p' }, differences, [deviation]).unexplained.map(({ path }) => path)).toEqual(['b']);
  });

  it('does not take a deviation with another value', () => {
    expect(judge({ name: 'p' }, differences, [{ ...deviation, action: 'x' }]).unexplained).toHaveLength(2);
  });

  it('does not take a deviation of another project or stage', () => {
    const others: Deviation[] = [
      { ...deviation, projects: ['q'] },
      { ...deviation, stages: ['again'] },
    ];
    expect(judge({ name: 'p' }, differences, others).unexplained).toHaveLength(2);
  });

  it('names a deviation that is not seen any more', () => {
    const gone: Deviation = { ...deviation, path: /^gone$/ };
    expect(judge({ name: 'p' }, differences, [deviation, gone]).unseen).toEqual([{ project: 'p', deviation: gone }]);
  });

  it('names one that may be anywhere and is seen nowhere', () => {
    const anywhere: Deviation = { ...deviation, projects: 'any' };
    expect(seenNowhere([judge({ name: 'p' }, differences, [anywhere])], [anywhere])).toEqual([]);
    expect(seenNowhere([judge({ name: 'p' }, [], [anywhere])], [anywhere])).toEqual([anywhere]);
  });
});

describe('the table of deviations', () => {
  it('names rows and projects that exist', () => {
    const page = readFileSync(join(import.meta.dirname, '../../../docs/decisions/differences.md'), 'utf8');
    const rows = new Set([...page.matchAll(/^\| (\d+) \|/gm)].map(([, row]) => Number(row)));
    const names = new Set(readProjects().map(({ name }) => name));
    const wrong = DEVIATIONS.filter(
      ({ row, projects }) => !rows.has(row) || (projects !== 'any' && !projects.every((name) => names.has(name))),
    );
    expect(wrong).toEqual([]);
  });
});

describe('a snapshot', () => {
  const spans: Span[] = [
    { stage: 'first', from: Date.parse('2026-01-01T10:00:00Z'), until: Date.parse('2026-01-01T10:00:30Z') },
    { stage: 'again', from: Date.parse('2026-01-01T10:01:00Z'), until: Date.parse('2026-01-01T10:01:30Z') },
  ];
  const schedule = (anchor: string): JsonObject => ({ schedule: { interval: 60, anchor_date: anchor }, id: 's' });
  const records: Records = {
    flows: [{ id: 'f1', name: 'hello', created: 'x' }],
    deployments: [
      {
        id: 'd1',
        flow_id: 'f1',
        name: 'one',
        status: 'READY',
        labels: { 'prefect.flow.id': 'f1' },
        pull_steps: [{ step: { directory: '/tmp/a/one' } }],
        schedules: [
          schedule('2026-01-01T10:01:12.5Z'),
          schedule('2026-01-01T10:00:05Z'),
          schedule('2026-01-01T09:00:00Z'),
        ],
      },
    ],
    automations: [
      { id: 'a1', name: 'same', actions: [{ deployment_id: 'd1' }], trigger: { id: 't', expect: ['b', 'a'] } },
      { id: 'a2', name: 'same', actions: [], trigger: { id: 'u', expect: [] } },
    ],
    limits: [{ id: 'l', name: 'deployment:d1', limit: 2, active_slots: 1 }],
    queues: [{ name: 'b' }, { name: 'a' }],
  };
  const snapshot = snapshotOf(records, spans, { '/tmp/a': '<parent>' });

  it('tells ids, paths and moments of deploys by names, and leaves circumstances out', () => {
    expect(snapshot.deployments).toEqual({
      'hello/one': {
        name: 'one',
        labels: { 'prefect.flow.id': '<hello>' },
        pull_steps: [{ step: { directory: '<parent>/one' } }],
        global_concurrency_limit: null,
        schedules: [
          { schedule: { interval: 60, anchor_date: '2026-01-01T09:00:00Z' } },
          { schedule: { interval: 60, anchor_date: '<first>' } },
          { schedule: { interval: 60, anchor_date: '<again>' } },
        ],
      },
    });
  });

  it('keeps two automations of one name apart, and gives sets an order', () => {
    expect(snapshot.automations).toEqual({
      same: { name: 'same', actions: [], trigger: { expect: [] } },
      'same (2)': { name: 'same', actions: [{ deployment_id: '<hello/one>' }], trigger: { expect: ['a', 'b'] } },
    });
  });

  it('tells limits by their deployment, and queues by name', () => {
    expect(snapshot.limits).toEqual({
      'deployment:<hello/one>': { name: 'deployment:<hello/one>', limit: 2 },
    });
    expect(snapshot.queues).toEqual(['a', 'b']);
  });
});
