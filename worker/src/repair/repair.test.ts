import { describe, expect, it } from 'vitest';
import { isOrphan } from './repair.ts';

const NOW = Date.parse('2026-01-01T00:10:00Z');
const options = { policy: { intervalMs: 60_000, orphanAfterMs: 30_000 }, inHand: (id: string) => id === 'mine' };

type Run = Parameters<typeof isOrphan>[0];
function run(more: Partial<Run> = {}, name = 'Pending', ageSeconds = 60): Run {
  const timestamp = new Date(NOW - ageSeconds * 1000).toISOString();
  return { id: 'r', labels: {}, state: { id: 's', type: 'PENDING', name, timestamp }, ...more };
}

describe('a Pending run', () => {
  it.each<[string, Run]>([
    ['that is old and nobody’s', run()],
    [
      'that this kind of worker left behind',
      run({ labels: { 'prefect.worker.name': 'a', 'slipway.worker.version': '1' } }),
    ],
    [
      'that Python’s worker was submitting long ago',
      run({ labels: { 'prefect.worker.name': 'a' } }, 'Submitting', 1000),
    ],
  ])('%s is taken up', (_name, one) => {
    expect(isOrphan(one, NOW, options)).toBe(true);
  });

  it.each<[string, Run]>([
    ['that is young', run({}, 'Pending', 10)],
    ['that is in hand here', run({ id: 'mine' })],
    ['that Python’s worker may still be submitting', run({ labels: { 'prefect.worker.name': 'a' } })],
    ['whose pod is on its way', run({}, 'InfrastructurePending')],
    ['that is running by now', run({ state: { id: 's', type: 'RUNNING', name: 'Running' } })],
  ])('%s is left alone', (_name, one) => {
    expect(isOrphan(one, NOW, options)).toBe(false);
  });
});
