/** Frames of Prefect's server as text, with what a test says and the rest as it usually is. */
export const ID = '0193a6f0-0000-7000-8000-000000000001';
const SENT_AT = '2026-11-26T12:00:00.500000Z';

const frame = (type: string, payload: object, more: object = {}) =>
  JSON.stringify({ type, id: ID, sent_at: SENT_AT, payload, ...more });

const poolObject = (more: object) => ({
  id: ID,
  name: 'k',
  type: 'kubernetes',
  base_job_template: { job_configuration: {} },
  is_paused: false,
  storage_configuration: {},
  default_queue_id: ID,
  updated: SENT_AT,
  ...more,
});

export function readyFrame(payload: object = {}, more: object = {}, snapshot: object = {}): string {
  return frame(
    'worker.ready.v1',
    {
      consumer_id: ID,
      worker_id: null,
      selected_channel_version: 'work_pool_worker_channel.v1',
      effective_heartbeat_interval_seconds: 30,
      accepted_capabilities: ['worker_heartbeat.v1', 'work_pool_snapshot.v1', 'cleanup_delivery.v1'],
      rejected_capabilities: [],
      effective_max_cleanup_concurrency: 1,
      resolved_work_queues: [{ id: ID, name: 'default' }],
      initial_snapshot: { snapshot_sequence: 1, reason: 'initial', work_pool: poolObject({}), ...snapshot },
      ...payload,
    },
    more,
  );
}

/** @param pool what is otherwise about the pool. */
export function snapshotFrame(sequence: number, pool: object = {}): string {
  const payload = { snapshot_sequence: sequence, reason: 'work_pool_updated', work_pool: poolObject(pool) };
  return frame('work_pool.snapshot.v1', payload);
}

export function cleanupFrame(payload: object = {}): string {
  return frame('cleanup.message.v1', {
    message_id: ID,
    kind: 'cancelling_timeout_teardown.v1',
    reservation_token: 'token',
    lease_expires_at: '2026-11-26T12:00:30.500000Z',
    delivery_count: 1,
    work_queue_id: ID,
    target: { flow_run_id: ID, infrastructure_pid: 'ns:job' },
    data: {},
    ...payload,
  });
}

export function resultFrame(payload: object): string {
  return frame('cleanup.operation_result.v1', {
    request_frame_id: ID,
    message_id: ID,
    operation: 'ack',
    status: 'accepted',
    lease_expires_at: null,
    reason: null,
    detail: null,
    ...payload,
  });
}
