import { describe, expect, it } from 'vitest';
import { problemsIn, projectFrom } from './testing-project.ts';

describe('work_pools', () => {
  it('keeps only what is written', async () => {
    const { workPools } = await projectFrom(`work_pools:
- name: kubernetes
  type: kubernetes
  concurrency_limit: null
  base_job_template: template.yaml
  variables: {namespace: prefect, env: {A: "1"}}
  patch: [{op: add, path: /a, value: {b: null}}]
  queues: [{name: high, priority: 1}]
- name: other
  base_job_template: default
- {name: third, base_job_template: {variables: {}}}
`);
    const position = expect.objectContaining({ file: 'project/prefect.yaml' });
    const rest = { where: position, positions: expect.any(Map) };
    expect(workPools).toEqual([
      {
        name: 'kubernetes',
        type: 'kubernetes',
        concurrency_limit: null,
        base_job_template: { kind: 'file', path: 'template.yaml', where: position },
        variables: { namespace: 'prefect', env: { A: '1' } },
        patch: [{ op: 'add', path: '/a', value: { b: null } }],
        queues: [{ name: 'high', priority: 1 }],
        ...rest,
      },
      { name: 'other', type: undefined, base_job_template: { kind: 'default' }, ...rest },
      { name: 'third', type: undefined, base_job_template: { kind: 'inline', template: { variables: {} } }, ...rest },
    ]);
  });

  it.each([
    ['an unknown key', '{name: a, tpye: x}', 'work pool a: tpye is not a known key'],
    ['no name', '{type: x}', 'work pool #1: name must be text, not null'],
    ['an empty name', '{name: ""}', 'work pool #1: name must not be empty'],
    [
      'a negative limit',
      '{name: a, concurrency_limit: -1}',
      'work pool a: concurrency_limit must be a whole number from 0 up, not the number -1',
    ],
    [
      'an unknown patch operation',
      '{name: a, patch: [{op: put, path: /a}]}',
      'work pool a: patch[0].op must be one of add, remove, replace, move, copy, test, not "put"',
    ],
    ['a patch that is no list', '{name: a, patch: {}}', 'work pool a: patch must be a list, not a mapping'],
    [
      'an unknown queue key',
      '{name: a, queues: [{name: q, prio: 1}]}',
      'work pool a: queues[0].prio is not a known key',
    ],
    [
      'a priority that no queue has',
      '{name: a, queues: [{name: q, priority: 0}]}',
      'work pool a: queues[0].priority must be a whole number from 1 up, not the number 0',
    ],
    [
      'a variable name that is no text',
      '{name: a, variables: {1: x}}',
      'work pool a: variables has the key 1, which is no text in YAML',
    ],
  ])('refuses %s', async (_what, pool, message) => {
    expect((await problemsIn(`work_pools:\n- ${pool}\n`)).map((problem) => problem.replace(/^\S+ /, ''))).toEqual([
      message,
    ]);
  });

  it('refuses two of one name', async () => {
    expect(await problemsIn('work_pools:\n- name: a\n- name: a\n')).toEqual([
      'project/prefect.yaml:3:3 the work pool a is described twice',
    ]);
  });
});
