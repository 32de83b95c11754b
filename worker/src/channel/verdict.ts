import type { SocketEnd } from '@slipway/prefect/socket';

/** What follows from the end of a channel: another try after a pause, or REST for as long as the worker lives. */
export interface Verdict {
  readonly again: boolean;
  /** Prefect's own word for it. */
  readonly reason: string;
}

/** The reasons that Prefect's server closes with, and whether it is worth coming again. */
const REASONS: Readonly<Record<string, boolean>> = {
  authentication_failed: false,
  authorization_failed: false,
  unsupported_version: false,
  protocol_error: false,
  heartbeat_persistence_failed: true,
  transient_server_error: true,
};
/** What a close with a reason of its own, or none, amounts to by its code (RFC 6455 §7.4). */
const CODES: ReadonlyMap<number, string> = new Map([
  [1008, 'authorization_failed'],
  [1002, 'protocol_error'],
  [1011, 'transient_server_error'],
]);
/** Refusals of the upgrade that say nothing about the endpoint. */
const PASSING = new Set([408, 425, 429]);

/**
 * Judges how a channel ended, or why it did not come about (contracts/worker.md §3.5). Otherwise than Prefect's worker,
 * one that could not be connected to is tried again also when none ever was healthy: worker and server may have started
 * together (trap T12). Pure.
 */
export function judgeEnd(end: SocketEnd): Verdict {
  switch (end.kind) {
    case 'closed':
      return named(end.reason) ?? named(CODES.get(end.code)) ?? { again: true, reason: 'connection_lost' };
    case 'denied':
      return { again: false, reason: Object.hasOwn(REASONS, end.reason) ? end.reason : 'protocol_error' };
    case 'refused':
      return judgeRefusal(end.status);
    case 'lost':
      return { again: true, reason: end.code === 'TIMEOUT' ? 'setup_timeout' : 'connection_lost' };
  }
}

function named(reason: string | undefined): Verdict | undefined {
  if (reason === undefined || !Object.hasOwn(REASONS, reason)) return undefined;
  return { again: REASONS[reason] === true, reason };
}

function judgeRefusal(status: number): Verdict {
  if (status === 401) return { again: false, reason: 'authentication_failed' };
  if (status === 403) return { again: false, reason: 'authorization_failed' };
  if (status >= 500 || PASSING.has(status)) return { again: true, reason: 'transient_server_error' };
  return { again: false, reason: 'endpoint_unavailable' };
}
