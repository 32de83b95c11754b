import { describe, expect, it } from 'vitest';
import { CleanupStatus, TEARDOWN } from '../channel/frames.ts';
import { admit, judgeOperation } from './operations.ts';

const message = { kind: TEARDOWN, reservation_token: 'mine' } as const;
const standing = { room: 1, active: new Set<string>(), leaseMs: 30_000 };

describe('a cleanup message that comes', () => {
  it('is worked on', () => {
    expect(admit(message, standing)).toEqual({ kind: 'work' });
    expect(admit(message, { ...standing, room: 2, active: new Set(['other']) })).toEqual({ kind: 'work' });
  });

  it.each([
    ['unsupported_cleanup_kind', { kind: 'pending_claim_teardown.v1' }, {}],
    ['cleanup_delivery_unavailable', {}, { room: 0 }],
    ['concurrency_limit_reached', {}, { active: new Set(['other']) }],
  ] as const)('is given back: %s', (reason, more, than) => {
    expect(admit({ ...message, ...more }, { ...standing, ...than })).toEqual({ kind: 'release', reason });
  });

  it.each([
    ['its lease is over', { leaseMs: 0 }],
    ['its lease is over', { leaseMs: -1, active: new Set(['other']) }],
    ['it is being worked on', { active: new Set(['mine']) }],
  ])('is not answered: %s', (why, than) => {
    expect(admit(message, { ...standing, ...than })).toEqual({ kind: 'ignore', why });
  });
});

describe('an answer to an operation', () => {
  const verdicts = (operation: 'ack' | 'release' | 'renew') =>
    Object.fromEntries(CleanupStatus.options.map((status) => [status, judgeOperation(operation, status)]));
  const lost = {
    accepted: 'done',
    error: 'again',
    not_found: 'lost',
    not_current: 'lost',
    expired: 'lost',
    invalid_token: 'lost',
    unauthorized: 'lost',
    dead_lettered: 'lost',
  };

  it('decides about the message by its status', () => {
    expect(verdicts('renew')).toEqual(lost);
    expect(verdicts('release')).toEqual(lost);
  });

  it('that knows an acknowledged message no more means that it is acknowledged', () => {
    expect(verdicts('ack')).toEqual({ ...lost, not_found: 'done' });
  });
});
