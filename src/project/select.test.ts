import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { problemsOf } from '../problem.ts';
import type { Entry, Project } from './model.ts';
import { checkComplete, selectEntries } from './select.ts';
import { projectFrom } from './testing-project.ts';

const SEVEN = `deployments:
- {name: dep-1, entrypoint: "a.py:my_flow"}
- {name: dep-2, entrypoint: "a.py:my_flow"}
- {name: dep-1, entrypoint: "b.py:other_flow"}
- {name: prod, entrypoint: "b.py:other_flow"}
- {name: noep}
- {name: x, entrypoint: pkg.mod.my_flow}
- {name: "t-{{ $V }}", entrypoint: "a.py:MyClass.run_it"}
`;
const ONE = 'deployments: [{name: only, entrypoint: "a.py:my_flow"}]';
const NONE = 'deployments: []';
const NAMELESS = 'deployments: [{entrypoint: "a.py:f"}, {name: k, entrypoint: "a.py:f"}]';

/** Which of the four files each line of the contract's fixture is about. */
function fileOf(line: number): string {
  if (line <= 25) return SEVEN;
  if (line <= 30) return ONE;
  return line <= 33 ? NONE : NAMELESS;
}

const REFUSED = 'refused';
const A1 = 'dep-1 a.py:my_flow';
const A2 = 'dep-2 a.py:my_flow';
const B1 = 'dep-1 b.py:other_flow';
const PROD = 'prod b.py:other_flow';
const X = 'x pkg.mod.my_flow';
const T = 't-{{ $V }} a.py:MyClass.run_it';

const ONCE = 'overlaps select once';
const OWN_FLOW = 'a pattern stays with its flow, and my_flow is also the function of pkg.mod.my_flow';
const MATCH = 'a name that matches nothing is an error, never a rename and never skipped';
/** Every line where we differ from Prefect (design.md, difference 4), by its number in the fixture. */
const deviations: Readonly<Record<number, { ours: string[] | typeof REFUSED; because: string }>> = {
  1: { ours: [A1, A2, B1], because: ONCE },
  2: { ours: [A1, A2, X], because: OWN_FLOW },
  3: { ours: [A1, A2, X], because: 'a flow may be named like its function' },
  6: { ours: [A1, B1], because: ONCE },
  7: { ours: [A1, A2, B1], because: ONCE },
  8: { ours: [A1, A2, B1, PROD, X, T], because: ONCE },
  10: { ours: REFUSED, because: MATCH },
  11: { ours: REFUSED, because: MATCH },
  13: { ours: REFUSED, because: MATCH },
  15: { ours: [A1, A2, B1, PROD, 'noep None', X, T], because: 'no names mean all' },
  17: { ours: [PROD], because: 'there is no --all to clash with' },
  19: { ours: [A1, A2, X, PROD], because: OWN_FLOW },
  21: { ours: [T], because: 'a flow may be named like its function, also a method' },
  24: { ours: [PROD], because: ONCE },
  26: { ours: REFUSED, because: MATCH },
  27: { ours: REFUSED, because: MATCH },
  28: { ours: REFUSED, because: MATCH },
  31: { ours: REFUSED, because: 'without deployments there is nothing to deploy' },
  32: { ours: REFUSED, because: 'without deployments there is nothing to deploy' },
  33: { ours: REFUSED, because: 'without deployments there is nothing to deploy' },
  34: { ours: ['k a.py:f'], because: 'Prefect crashes on the entry without a name' },
};

const cases = readFileSync(new URL('./fixtures/name-selection-results.txt', import.meta.url), 'utf8')
  .trim()
  .split('\n')
  .map((text, index) => {
    const names = [...(/^\[(.*?)\] (?:True|False)/.exec(text)?.[1] ?? '').matchAll(/'([^']*)'/g)].map(
      (m) => m[1] ?? '',
    );
    const pairs = [...(text.split(' -> ')[1] ?? '').matchAll(/\((None|'[^']*'), (None|'[^']*')\)/g)];
    const line = index + 1;
    const theirs = pairs.length === 0 ? REFUSED : pairs.map((pair) => `${pair[1]} ${pair[2]}`.replaceAll("'", ''));
    return { line, title: text.split(' -> ')[0], names, wanted: deviations[line]?.ours ?? theirs };
  });

function labels(entries: readonly Entry[]): string[] {
  return entries.map((entry) => `${entry.name ?? 'None'} ${entry.entrypoint ?? 'None'}`);
}

function select(project: Project, names: string[], flows: Record<string, string> = {}): string[] | typeof REFUSED {
  try {
    return labels(selectEntries(project, names, (entry) => flows[entry.name ?? '']));
  } catch (error) {
    if (problemsOf(error) === undefined) throw error;
    return REFUSED;
  }
}

describe('selecting deployments by name, against Prefect 3.8.8', () => {
  it.each(cases)('$line: $title', async ({ line, names, wanted }) => {
    expect(select(await projectFrom(fileOf(line)), names)).toEqual(wanted);
  });

  it('has all 35 cases', () => {
    expect(cases).toHaveLength(35);
  });
});

describe('selecting deployments', () => {
  it('finds a flow by its real name when that is known', async () => {
    const project = await projectFrom(ONE);
    expect(select(project, ['Real Name/only'])).toBe(REFUSED);
    expect(select(project, ['Real Name/only'], { only: 'Real Name' })).toEqual(['only a.py:my_flow']);
    expect(select(project, ['my_flow/only'], { only: 'Real Name' })).toEqual(['only a.py:my_flow']);
  });

  it.each([
    ['test*', 'test', false],
    ['test*', 'test1', true],
    ['*test', 'test', false],
    ['**', 'a', false],
    ['**', 'ab', true],
    ['a.c', 'abc', false],
    ['a+*', 'a+b', true],
  ])('%s against %s: %s', async (pattern, name, found) => {
    const project = await projectFrom(`deployments: [{name: "${name}", entrypoint: "a.py:f"}]`);
    expect(select(project, [pattern])).toEqual(found ? [`${name} a.py:f`] : REFUSED);
  });

  it('names every miss and what there is', async () => {
    const project = await projectFrom(ONE);
    try {
      selectEntries(project, ['a', 'only', 'b/c/d'], () => undefined);
      expect.unreachable();
    } catch (error) {
      expect(problemsOf(error)?.map((problem) => `${problem.message}: ${problem.remedy}`)).toEqual([
        'no deployment in project/prefect.yaml is called a: It has: only.',
        'no deployment in project/prefect.yaml is called b/c/d: A name holds at most one slash: flow/deployment. It has: only.',
      ]);
    }
  });
});

describe('what a deployment cannot do without', () => {
  it('is a name and an entrypoint', async () => {
    const project = await projectFrom('deployments:\n- {}\n- {name: a}\n- {name: "", entrypoint: "a.py:f"}\n');
    expect(checkComplete(project.entries).map(({ message, where }) => `${where?.line} ${message}`)).toEqual([
      '2 this deployment has no name',
      '2 this deployment has no entrypoint',
      '3 deployment a has no entrypoint',
      '4 deployment  has no name',
    ]);
  });
});
