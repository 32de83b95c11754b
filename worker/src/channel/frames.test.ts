import { SpelledNumber } from '@slipway/prefect/json';
import { describe, expect, it } from 'vitest';
import { cleanupFrame, ID, readyFrame, resultFrame, snapshotFrame } from '../testing/frames.ts';
import { heartbeatFrame, helloFrame, operationFrame, ProtocolError, readFrame } from './frames.ts';

const NOW = Date.parse('2026-11-26T12:00:00.5Z');

describe('a frame of the server', () => {
  it('is read: ready, with the pool as it is', () => {
    const frame = readFrame(readyFrame());
    expect(frame).toMatchObject({ type: 'worker.ready.v1', sent_at: NOW, payload: { worker_id: null } });
  });

  it('is read: a snapshot, whose template keeps the spelling of its numbers and whose pool may have more fields', () => {
    const frame = readFrame(snapshotFrame(2, { base_job_template: { cpu: 1.5 }, new_field: 1 }).replace('1.5', '1.0'));
    if (frame.type !== 'work_pool.snapshot.v1') throw new Error(frame.type);
    expect(frame.payload.work_pool.base_job_template).toEqual({ cpu: new SpelledNumber('1.0') });
  });

  it('is read: cleanup, and the answer to an operation', () => {
    expect(readFrame(cleanupFrame())).toMatchObject({ payload: { lease_expires_at: NOW + 30_000 } });
    expect(readFrame(cleanupFrame({ kind: 'pending_claim_teardown.v1' }))).toMatchObject({ sent_at: NOW });
    expect(readFrame(resultFrame({}))).toMatchObject({ payload: { status: 'accepted' } });
    expect(readFrame(resultFrame({ status: 'expired', reason: 'late' }))).toBeDefined();
    const renewed = resultFrame({ operation: 'renew', lease_expires_at: '2026-11-26T12:00:30+00:00' });
    expect(readFrame(renewed)).toMatchObject({ payload: { lease_expires_at: Date.parse('2026-11-26T12:00:30Z') } });
  });

  it.each([
    ['no JSON', 'hello'],
    ['no object', '[]'],
    ['a type that is not known', '{"type":"worker.ready.v2"}'],
    ['a frame that only workers send', heartbeatFrame(hello(), 30, NOW).text],
    ['a key that is not known', readyFrame({}, { extra: 1 })],
    ['a key of the payload that is not known', readyFrame({ extra: 1 })],
    ['no moment', readyFrame({}, { sent_at: 'today' })],
    ['another version', readyFrame({ selected_channel_version: 'work_pool_worker_channel.v2' })],
    ['a required capability that was not accepted', readyFrame({ accepted_capabilities: ['worker_heartbeat.v1'] })],
    ['one that was both accepted and rejected', readyFrame({ rejected_capabilities: ['worker_heartbeat.v1'] })],
    ['cleanup without room', readyFrame({ effective_max_cleanup_concurrency: 0 })],
    ['an interval of nothing', readyFrame({ effective_heartbeat_interval_seconds: 0 })],
    ['a first snapshot that is not the first', readyFrame({}, {}, { snapshot_sequence: 2 })],
    ['a first snapshot for another reason', readyFrame({}, {}, { reason: 'work_pool_updated' })],
    ['a pool without a template', snapshotFrame(2, { base_job_template: undefined })],
    ['a message without a run', cleanupFrame({ target: {} })],
    ['a message of an unknown kind', cleanupFrame({ kind: 'other.v1' })],
    ['a refusal without a reason', resultFrame({ status: 'expired' })],
    ['a renewal without a lease', resultFrame({ operation: 'renew' })],
    ['a lease with an ack', resultFrame({ lease_expires_at: '2026-11-26T12:00:30Z' })],
  ])('is refused: %s', (_what, text) => {
    expect(() => readFrame(text)).toThrow(ProtocolError);
  });
});

function hello() {
  return {
    consumerId: ID,
    workerName: 'w',
    heartbeatIntervalSeconds: 30,
    queueNames: ['b', 'a'],
    createPool: true,
    template: { a: new SpelledNumber('1.0') },
    metadata: null,
  };
}

describe('a frame of the worker', () => {
  const uuid7 = expect.stringMatching(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  const envelope = { id: uuid7, sent_at: '2026-11-26T12:00:00.500Z' };

  it('says who we are and what we can', () => {
    const { id, text } = helloFrame(hello(), NOW);
    expect(text).toContain('"default_base_job_template":{"a":1.0}');
    expect(JSON.parse(text)).toEqual({
      type: 'worker.hello.v1',
      ...envelope,
      id,
      payload: {
        consumer_id: ID,
        worker_name: 'w',
        worker_type: 'kubernetes',
        heartbeat_interval_seconds: 30,
        supported_channel_versions: ['work_pool_worker_channel.v1'],
        requested_capabilities: ['worker_heartbeat.v1', 'work_pool_snapshot.v1', 'cleanup_delivery.v1'],
        work_queue_names: ['a', 'b'],
        handled_cleanup_kinds: ['cancelling_timeout_teardown.v1'],
        max_cleanup_concurrency: 1,
        create_pool_if_not_found: true,
        default_base_job_template: { a: 1 },
        worker_metadata: null,
      },
    });
  });

  it('says that we live', () => {
    expect(JSON.parse(heartbeatFrame(hello(), 15, NOW).text)).toEqual({
      type: 'worker.heartbeat.v1',
      ...envelope,
      payload: { consumer_id: ID, worker_name: 'w', heartbeat_interval_seconds: 15 },
    });
  });

  it.each([
    ['ack', undefined],
    ['renew', undefined],
    ['release', 'handler_failed'],
  ] as const)('says what becomes of a message: %s', (operation, reason) => {
    const frame = JSON.parse(operationFrame(operation, { message_id: ID, reservation_token: 't' }, NOW, reason).text);
    const payload = { message_id: ID, reservation_token: 't', ...(reason === undefined ? {} : { reason }) };
    expect(frame).toEqual({ type: `cleanup.${operation}.v1`, ...envelope, payload });
  });
});
