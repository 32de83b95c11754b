import type { Json } from '@slipway/prefect/json';
import { describe, expect, it } from 'vitest';
import { problemsOf } from '../problem.ts';
import { positionsOf, toJson } from './nodes.ts';
import { projectFrom } from './testing-project.ts';
import { parseYaml } from './yaml.ts';

function read(text: string): Json | undefined {
  const root = parseYaml(text, 'prefect.yaml');
  return root && toJson(root);
}

describe('what PyYAML reads and YAML 1.2 does not', () => {
  // Each was read by PyYAML 6.0 to the same value.
  it.each<[string, string, Json]>([
    ['lines inside brackets that begin anywhere', 'a: [\nb,\n  c\n]\n', { a: ['b', 'c'] }],
    [
      'lines inside braces as deep as their key',
      'a:\n  b: {x: 1,\n  y: 2}\n  c: 1\n',
      { a: { b: { x: 1, y: 2 }, c: 1 } },
    ],
    ['lines inside double quotes that begin anywhere', 'a: "x\ny\n\n z"\n', { a: 'x y\nz' }],
    ['lines inside single quotes that begin anywhere', "- a: 's\nt'\n- b\n", [{ a: 's t' }, 'b']],
    ['quotes inside braces', 'a:\n  b: [\n    {c: "x\n  y"}]\n', { a: { b: [{ c: 'x y' }] } }],
    ['a comment right behind a quote', 'a: "b"#c\nd: 1\n', { a: 'b', d: 1 }],
    ['duplicate keys, of which the last wins', 'a: 1\na: 2\n', { a: 2 }],
    ['a block text without a line end', 'a: |\n  b', { a: 'b' }],
  ])('%s', (_what, text, value) => {
    expect(read(text)).toEqual(value);
  });

  it('keeps the places of what is moved to be read', () => {
    const root = parseYaml('a: {b: 1,\nc: 2,\n   d: 3}\ne: 4\n', 'f');
    const places = root && [...positionsOf(root)].map(([path, { line, column }]) => `${path} ${line}:${column}`);
    expect(places).toEqual(['a 1:1', 'a.b 1:5', 'a.c 2:1', 'a.d 3:4', 'e 4:1']);
  });

  it.each([
    ['a quote that never ends', 'a: "x\ny\nz\n', 1],
    ['a bracket that never ends', 'a: [x,\ny\nz: 1\n', 2],
  ])('does not make sense of %s', (_what, text, line) => {
    const error = (() => {
      try {
        return read(text);
      } catch (thrown) {
        return thrown;
      }
    })();
    expect(problemsOf(error)?.[0]?.where?.line).toBeGreaterThanOrEqual(line);
  });
});

describe('a key that JavaScript has a use for', () => {
  it('is a key like any other', () => {
    const value = read('__proto__: {a: 1}\nconstructor: 2\n');
    expect(Object.keys(value ?? {})).toEqual(['__proto__', 'constructor']);
    expect(({} as Record<string, unknown>).a).toBeUndefined();
  });
});

const WHOLE = `definitions:
  pool: &pool {name: k8s, job_variables: {image: "{{ build-image.image }}", env: {A: "1"}}}
build:
- prefect.deployments.steps.run_shell_script: {id: sha, script: git rev-parse HEAD}
- prefect_docker.deployments.steps.build_docker_image:
    id: build-image
    image_name: acme/hello
    tag: "{{ sha.stdout }}"
pull: null
deployments:
- name: a
  entrypoint: flows/hello.py:hello
  tags: [x, "{{ sha.stdout }}", 2024-01-01]
  schedules:
  - {cron: "0 * * * *", timezone: UTC}
  - {interval: 60, anchor_date: 2024-01-01}
  parameters: {n: 1.0, on: yes}
  work_pool: *pool
- <<: {name: b, paused: false}
  concurrency_limit: {limit: 1}
  description: |
    text
      more
work_pools:
- {name: k8s, type: kubernetes, patch: [{op: add, path: /a, value: 1}]}
`;
const SCRAPS = [
  '{',
  '}',
  '[',
  ']',
  ':',
  ' ',
  '\n',
  '- ',
  '"',
  "'",
  '&a ',
  '*a',
  '<<',
  '|',
  '>',
  '\t',
  '!!set ',
  '!!int ',
  '#',
  '? ',
  '%',
  'null',
  '1',
  '\u0000',
  '---\n',
];

/** A repeatable stream of numbers in [0, 1) (mulberry32). */
function numbers(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

function damage(text: string, seed: number): string {
  const next = numbers(seed);
  const at = () => Math.floor(next() * text.length);
  let damaged = text;
  for (let cuts = 1 + Math.floor(next() * 4); cuts > 0; cuts -= 1) {
    const [start, other] = [at(), at()];
    const scrap = SCRAPS[Math.floor(next() * SCRAPS.length)] ?? '';
    const kind = next();
    if (kind < 0.4) damaged = damaged.slice(0, start) + scrap + damaged.slice(start);
    else if (kind < 0.7) damaged = damaged.slice(0, start) + damaged.slice(start + 1 + Math.floor(next() * 8));
    else damaged = damaged.slice(0, start) + text.slice(other, other + 20) + damaged.slice(start);
  }
  return damaged;
}

describe('a damaged prefect.yaml', () => {
  it('gives a project or problems with a place, never anything else', async () => {
    for (let seed = 1; seed <= 300; seed += 1) {
      const text = damage(WHOLE, seed);
      const outcome = await projectFrom(text).catch((error: unknown) => error);
      if (!(outcome instanceof Error)) continue;
      const problems = problemsOf(outcome);
      if (problems === undefined) throw new Error(`seed ${seed}`, { cause: outcome });
      for (const { where, remedy } of problems) {
        expect(where?.line, `seed ${seed}`).toBeGreaterThan(0);
        expect(where?.line, `seed ${seed}`).toBeLessThanOrEqual(text.split('\n').length);
        expect(remedy).not.toBe('');
      }
    }
  });
});
