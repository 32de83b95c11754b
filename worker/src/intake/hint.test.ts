import { describe, expect, it } from 'vitest';
import { filterFor, readHint } from './hint.ts';

interface Said {
  readonly state: string;
  readonly queue?: string;
  readonly from?: string;
}

/** A message as Prefect 3.8.8 sends it. */
const message = ({ state, queue = 'high', from }: Said) =>
  JSON.stringify({
    type: 'event',
    event: {
      id: '01a218de-d0ed-7bd0-95e4-2feb282d0b2a',
      occurred: '2026-11-26T17:19:45.389444Z',
      event: `prefect.flow-run.${state}`,
      resource: { 'prefect.resource.id': 'prefect.flow-run.run-1', 'prefect.resource.name': 'spicy-cougar' },
      related: [
        { 'prefect.resource.id': 'prefect.flow.f', 'prefect.resource.role': 'flow', 'prefect.resource.name': 'high' },
        {
          'prefect.resource.id': 'prefect.work-queue.q',
          'prefect.resource.role': 'work-queue',
          'prefect.resource.name': queue,
        },
        {
          'prefect.resource.id': 'prefect.work-pool.p',
          'prefect.resource.role': 'work-pool',
          'prefect.resource.name': 'k',
        },
      ],
      payload: {
        initial_state: from === undefined ? null : { type: from, name: from },
        validated_state: { type: 'SCHEDULED' },
      },
      follows: null,
    },
  });

describe('an event', () => {
  it.each<[Said, 'ready' | 'taken' | undefined]>([
    [{ state: 'Scheduled' }, 'ready'],
    [{ state: 'Resuming', from: 'PAUSED' }, 'ready'],
    [{ state: 'AwaitingRetry', from: 'FAILED' }, 'ready'],
    [{ state: 'AwaitingRetry', from: 'RUNNING' }, undefined],
    [{ state: 'Pending', from: 'SCHEDULED' }, 'taken'],
    [{ state: 'Cancelled', from: 'SCHEDULED' }, 'taken'],
    [{ state: 'Scheduled', queue: 'low' }, undefined],
    [{ state: 'Pending', queue: 'low' }, 'taken'],
    [{ state: 'Late' }, undefined],
    [{ state: 'Running' }, undefined],
  ])('%j says of its run: %s', (said, kind) => {
    const hint = readHint(message(said), (queue) => queue === 'high');
    expect(hint).toEqual(kind === undefined ? undefined : { kind, flowRunId: 'run-1' });
  });

  it('of a run whose queue is not told may be one of ours', () => {
    const text = message({ state: 'Scheduled' }).replaceAll('"work-queue"', '"other"');
    expect(readHint(text, () => false)).toEqual({ kind: 'ready', flowRunId: 'run-1' });
  });

  it.each([
    'not JSON',
    '[]',
    '{"type":"auth_success"}',
    '{"type":"event"}',
    '{"type":"event","event":{"event":"prefect.flow-run.Scheduled"}}',
    '{"type":"event","event":{"event":7,"resource":{}}}',
    '{"type":"event","event":{"event":"prefect.work-pool.updated","resource":{"prefect.resource.id":"prefect.work-pool.p"}}}',
    '{"type":"event","event":{"event":"prefect.flow-run.Scheduled","resource":{"prefect.resource.id":"elsewhere"}}}',
  ])('that is something else says nothing: %s', (text) => {
    expect(readHint(text, () => true)).toBeUndefined();
  });
});

it('the filter asks for the events of the pool’s runs, from now on and for ever', () => {
  expect(filterFor('p')).toMatchObject({
    type: 'filter',
    backfill: false,
    filter: {
      occurred: { until: '2100-01-01T00:00:00Z' },
      event: { name: expect.arrayContaining(['prefect.flow-run.Scheduled', 'prefect.flow-run.Pending']) },
      related: { id: ['prefect.work-pool.p'] },
    },
  });
});
