import { describe, expect, it } from 'vitest';
import type { SideFigures } from './worker.ts';
import { callsTable, percentile, workerTable } from './worker-table.ts';

const TRAFFIC = { requests: 30, writes: 20, busy: 0, connections: 4, bytes: 50_000, kinds: new Map([['POST /x', 20]]) };

const side = (times: number): SideFigures => ({
  starts: [1, 2, 3].map((each) => ({ wallSeconds: 0.2 * each * times, cpuSeconds: 0.1 * each * times })),
  idle: {
    memoryMegabytes: 50 * times,
    cpuMillicores: 0.5 * times,
    prefectRequestsAMinute: 6 * times,
    kubernetesRequestsAMinute: 0,
  },
  latencySeconds: [0.1 * times],
  burst: {
    runs: 10,
    jobs: 10,
    firstPollSeconds: 0.5 * times,
    firstJobSeconds: 0.5 * times,
    lastJobSeconds: 2 * times,
    cpuSeconds: 0.08 * times,
    peakMegabytes: 60 * times,
    servers: { prefect: { cpuSeconds: 0.2 * times, processors: 0.9 }, database: undefined },
    prefect: { ...TRAFFIC, requests: 30 * times },
    kubernetes: TRAFFIC,
  },
  watched: undefined,
});

const row = (text: string, begin: string): string =>
  text.split('\n').find((line) => line.startsWith(begin)) ?? `no row begins with ${begin}`;

describe('the table of the worker bench', () => {
  it('shows both figures, how many times better ours is, and whether the target is met', () => {
    const text = workerTable({ python: side(4), slipway: side(1) });
    expect(row(text, 'start → first poll, s')).toMatch(/1\.60 +0\.40 +4\.0 +≤ 1 +met$/);
    expect(row(text, 'runs a second')).toMatch(/1\.3 +5\.0 +4\.0$/);
    expect(row(text, 'Prefect server: CPU a run, ms')).toMatch(/80\.0 +20\.0 +4\.0$/);
    expect(row(text, '… processors kept busy')).toMatch(/0\.90 +0\.90 +1\.0$/);
    expect(row(text, 'start → all Jobs, s')).toMatch(/10\.00 +2\.50 +4\.0 +≥ 5× less +MISSED$/);
  });

  it('leaves out what was not measured', () => {
    const text = workerTable({ slipway: { ...side(1), latencySeconds: [] } });
    expect(row(text, 'start → first poll, s')).toMatch(/, s +0\.40 +≤ 1 +met$/);
    expect(text).not.toMatch(/ad-hoc|PostgreSQL|watched/);
    expect(text).not.toContain('NaN');
  });

  it('has a row for watched pods when there were some', () => {
    const text = workerTable({ slipway: { ...side(1), watched: { pods: 10_000, memoryMegabytes: 200 } } });
    expect(row(text, 'memory with 10000 watched pods')).toMatch(/200 +≤ 180 +MISSED$/);
  });

  it('counts calls by endpoint and run', () => {
    expect(row(callsTable({ python: side(4) }), 'prefect')).toMatch(/POST \/x +2\.00$/);
  });
});

describe('a percentile', () => {
  it('is the smallest value that the share does not exceed', () => {
    const values = Array.from({ length: 100 }, (_, index) => 100 - index);
    expect([percentile(values, 0.5), percentile(values, 0.99), percentile([7], 0.99)]).toEqual([50, 99, 7]);
  });
});
