import { describe, expect, it } from 'vitest';
import { judgeEnd } from './verdict.ts';

const closed = (code: number, reason = '') => ({ kind: 'closed', code, reason }) as const;
const refused = (status: number) => ({ kind: 'refused', status }) as const;
const denied = (reason: string) => ({ kind: 'denied', reason }) as const;
const lost = (code: string) => ({ kind: 'lost', code }) as const;

/** The table of contracts/worker.md §3.5. */
describe('a channel that has ended', () => {
  it.each([
    [closed(1008, 'authentication_failed'), 'authentication_failed'],
    [closed(1008, 'authorization_failed'), 'authorization_failed'],
    [closed(1008, 'unsupported_version'), 'unsupported_version'],
    [closed(1002, 'protocol_error'), 'protocol_error'],
    [closed(1011, 'protocol_error'), 'protocol_error'],
    [closed(1008, 'something else'), 'authorization_failed'],
    [closed(1008), 'authorization_failed'],
    [closed(1002), 'protocol_error'],
    [refused(401), 'authentication_failed'],
    [refused(403), 'authorization_failed'],
    [refused(404), 'endpoint_unavailable'],
    [refused(405), 'endpoint_unavailable'],
    [refused(400), 'endpoint_unavailable'],
    [refused(407), 'endpoint_unavailable'],
    [refused(302), 'endpoint_unavailable'],
    [denied('authentication_failed'), 'authentication_failed'],
    [denied('transient_server_error'), 'transient_server_error'],
    [denied('constructor'), 'protocol_error'],
    [denied(''), 'protocol_error'],
  ] as const)('%j is over for good: %s', (end, reason) => {
    expect(judgeEnd(end)).toEqual({ again: false, reason });
  });

  it.each([
    [closed(1011, 'heartbeat_persistence_failed'), 'heartbeat_persistence_failed'],
    [closed(1011, 'transient_server_error'), 'transient_server_error'],
    [closed(1011), 'transient_server_error'],
    [closed(1000), 'connection_lost'],
    [closed(1012, 'service restart'), 'connection_lost'],
    [closed(1005), 'connection_lost'],
    [refused(500), 'transient_server_error'],
    [refused(502), 'transient_server_error'],
    [refused(503), 'transient_server_error'],
    [refused(408), 'transient_server_error'],
    [refused(429), 'transient_server_error'],
    [lost('TIMEOUT'), 'setup_timeout'],
    [lost('ECONNREFUSED'), 'connection_lost'],
    [lost('ECONNRESET'), 'connection_lost'],
    [lost('PING_TIMEOUT'), 'connection_lost'],
  ] as const)('%j is tried again: %s', (end, reason) => {
    expect(judgeEnd(end)).toEqual({ again: true, reason });
  });
});
