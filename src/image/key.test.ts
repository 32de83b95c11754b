import { describe, expect, it } from 'vitest';
import { imageKey } from './key.ts';
import type { ImagePlan } from './model.ts';
import { somePlan } from './testing-plan.ts';

describe('imageKey', () => {
  it('is the same for two steps that ask for the same image', () => {
    const a = somePlan({ buildArgs: { A: '1', B: '2' }, where: { file: 'prefect.yaml', line: 4, column: 3 } });
    const b = somePlan({ buildArgs: { B: '2', A: '1' }, where: { file: 'prefect.yaml', line: 90, column: 3 } });
    expect(imageKey(a)).toBe(imageKey(b));
  });

  it.each<[string, Partial<ImagePlan>]>([
    ['repository', { repository: 'localhost:5000/other' }],
    ['tags', { tags: ['f3d46caf', 'latest'] }],
    ['context', { context: '/srv' }],
    ['Dockerfile', { dockerfile: { kind: 'generated', content: 'FROM scratch', dockerignore: undefined } }],
    ['platforms', { platforms: ['linux/arm64'] }],
    ['build arguments', { buildArgs: { A: '1' } }],
    ['labels', { labels: { a: '1' } }],
    ['builder', { builder: 'mine' }],
    ['time', { sourceDateEpoch: 1 }],
    ['push', { push: false }],
  ])('differs by %s', (_what, different) => {
    expect(imageKey(somePlan(different))).not.toBe(imageKey(somePlan()));
  });

  it('minds the order of lists', () => {
    expect(imageKey(somePlan({ tags: ['a', 'b'] }))).not.toBe(imageKey(somePlan({ tags: ['b', 'a'] })));
  });
});
