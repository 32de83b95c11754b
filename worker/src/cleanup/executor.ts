/**
 * Works on what the server hands out over the worker channel: keeps the lease while the work goes on, then says what
 * became of it.
 *
 * Failure model. A message is ours for as long as its lease, and may be handed out again, to anyone, at any time: the
 * work is such that doing it twice does no harm. The channel may break and come again meanwhile: what is to be said waits
 * for it. When the lease runs out or the server says that it is not ours, the work is given up and nothing is said. A
 * worker that dies says nothing either; its lease runs out. Leases are counted on our clock from the moment a message
 * came, by how long the server gave, so that clocks which differ do no harm.
 */
import {
  type CleanupMessage,
  type CleanupOperation,
  type ClientFrame,
  type OperationResult,
  operationFrame,
} from '../channel/frames.ts';
import type { World } from '../world.ts';
import { admit, judgeOperation } from './operations.ts';

/** What became of a message. */
export type Outcome =
  | { readonly kind: 'ack'; readonly why: string }
  | { readonly kind: 'release'; readonly reason: string };

export interface ExecutorOptions {
  /** Resolves when the frame is on its way to a server that takes it; waits for one. */
  readonly send: (frame: ClientFrame, signal: AbortSignal) => Promise<void>;
  /** Does the work; what it throws is told as `handler_failed`. */
  readonly work: (message: CleanupMessage, signal: AbortSignal) => Promise<Outcome>;
  readonly world: Pick<World, 'clock' | 'log'>;
}

/** An answer, and until when the lease then holds on our clock. */
interface Answer {
  readonly result: OperationResult;
  readonly leaseEnds: number | undefined;
}

/** Renewed this long before its end. */
const RENEW_BEFORE_MS = 5_000;
const ANSWER_MS = 30_000;
const TRIES = { most: 3, pauseMs: 1_000 };

class Lease {
  readonly #over = new AbortController();
  ends: number;

  constructor(ends: number) {
    this.ends = ends;
  }

  /** Aborted when the message is ours no more. */
  get signal(): AbortSignal {
    return this.#over.signal;
  }

  lose(why: string): void {
    this.#over.abort(new Error(why));
  }
}

export class CleanupExecutor {
  readonly #options: ExecutorOptions;
  readonly #active = new Map<string, Lease>();
  readonly #asked = new Map<string, (answer: Answer) => void>();
  readonly #working = new Set<Promise<void>>();
  readonly #closed = new AbortController();
  #room = 0;

  constructor(options: ExecutorOptions) {
    this.#options = options;
  }

  /** A channel is open. @param room how many messages the server hands us at one time; 0: none, and none of before. */
  connected(room: number): void {
    this.#room = room;
    if (room > 0) return;
    for (const lease of this.#active.values()) lease.lose('the server takes no cleanup from this worker');
  }

  /**
   * Takes a message in hand, or says that it does not.
   *
   * @param sentAt when the server sent it, by its clock.
   */
  submit(message: CleanupMessage, sentAt: number): void {
    const { clock, log } = this.#options.world;
    const leaseMs = message.lease_expires_at - sentAt;
    const admission = admit(message, { room: this.#room, active: new Set(this.#active.keys()), leaseMs });
    if (admission.kind === 'ignore') {
      log.debug(`Cleanup ${message.message_id} is ignored: ${admission.why}`);
      return;
    }
    const lease = new Lease(clock.now() + leaseMs);
    if (admission.kind === 'work') this.#active.set(message.reservation_token, lease);
    const work = (
      admission.kind === 'work' ? this.#carryOut(message, lease) : this.#tell(message, admission, this.#closed.signal)
    ).catch((error: unknown) => {
      log.debug(`Cleanup ${message.message_id} is given up: ${error instanceof Error ? error.message : error}`);
    });
    this.#working.add(work);
    work.finally(() => this.#working.delete(work)).catch(() => undefined);
  }

  /** An answer of the server to one of our operations. @param sentAt by its clock. */
  answered(result: OperationResult, sentAt: number): void {
    const until = result.lease_expires_at;
    const leaseEnds = typeof until === 'number' ? this.#options.world.clock.now() + (until - sentAt) : undefined;
    this.#asked.get(result.request_frame_id)?.({ result, leaseEnds });
  }

  /** Gives up what is in hand. The server hands it out again when its lease is over. */
  async close(): Promise<void> {
    this.#closed.abort(new Error('the worker is stopping'));
    for (const lease of this.#active.values()) lease.lose('the worker is stopping');
    await Promise.all(this.#working);
  }

  async #carryOut(message: CleanupMessage, lease: Lease): Promise<void> {
    const { log } = this.#options.world;
    const done = new AbortController();
    const renewing = this.#renew(message, lease, AbortSignal.any([done.signal, lease.signal])).catch(() => undefined);
    try {
      let outcome: Outcome;
      try {
        outcome = await this.#options.work(message, lease.signal);
      } catch (error) {
        lease.signal.throwIfAborted();
        log.warning(
          `Cleanup of flow run ${message.target.flow_run_id}: ${error instanceof Error ? error.message : error}`,
        );
        outcome = { kind: 'release', reason: 'handler_failed' };
      }
      lease.signal.throwIfAborted();
      await this.#tell(message, outcome, lease.signal);
    } finally {
      done.abort();
      await renewing;
      this.#active.delete(message.reservation_token);
    }
  }

  async #tell(message: CleanupMessage, outcome: Outcome, signal: AbortSignal): Promise<void> {
    const { log } = this.#options.world;
    const why = outcome.kind === 'ack' ? outcome.why : outcome.reason;
    const reason = outcome.kind === 'release' ? outcome.reason : undefined;
    const answer = await this.#ask(outcome.kind, message, { reason, deadline: Number.POSITIVE_INFINITY, signal });
    const said = answer?.result.status ?? 'no answer';
    log.info(`Cleanup of flow run ${message.target.flow_run_id}: ${outcome.kind}, ${why} (${said})`, {
      flowRun: message.target.flow_run_id,
    });
  }

  /** Keeps the lease until the signal is aborted or it is lost. */
  async #renew(message: CleanupMessage, lease: Lease, signal: AbortSignal): Promise<void> {
    const { clock } = this.#options.world;
    while (!signal.aborted) {
      await clock.sleep(Math.max(0, lease.ends - RENEW_BEFORE_MS - clock.now()), signal);
      const answer = await this.#ask('renew', message, { deadline: lease.ends, signal });
      const verdict = answer === undefined ? 'again' : judgeOperation('renew', answer.result.status);
      if (verdict === 'done' && answer?.leaseEnds !== undefined) {
        lease.ends = answer.leaseEnds;
        continue;
      }
      if (verdict === 'lost') lease.lose(`the server says ${answer?.result.status}`);
      else if (clock.now() >= lease.ends) lease.lose('its lease is over');
      else await clock.sleep(Math.min(TRIES.pauseMs, lease.ends - clock.now()), signal);
    }
  }

  /** Sends an operation, with an id of its own each time, until it is answered; undefined when it was not. */
  async #ask(
    operation: CleanupOperation,
    message: CleanupMessage,
    { reason, deadline, signal }: { reason?: string | undefined; deadline: number; signal: AbortSignal },
  ): Promise<Answer | undefined> {
    const { clock } = this.#options.world;
    let last: Answer | undefined;
    for (let tries = 1; ; tries += 1) {
      const ms = Math.min(ANSWER_MS, deadline - clock.now());
      if (ms <= 0) return last;
      const frame = operationFrame(operation, message, clock.now(), reason);
      last = (await this.#once(frame, ms, signal)) ?? last;
      if (last !== undefined && judgeOperation(operation, last.result.status) !== 'again') return last;
      if (tries === TRIES.most) return last;
      await clock.sleep(Math.max(0, Math.min(TRIES.pauseMs, deadline - clock.now())), signal);
    }
  }

  async #once(frame: ClientFrame, ms: number, signal: AbortSignal): Promise<Answer | undefined> {
    const enough = new AbortController();
    const waiting = AbortSignal.any([signal, enough.signal]);
    const { promise, resolve } = Promise.withResolvers<Answer>();
    this.#asked.set(frame.id, resolve);
    try {
      const late = this.#options.world.clock.sleep(ms, waiting).then(() => undefined);
      const answered = this.#options.send(frame, waiting).then(() => promise);
      answered.catch(() => undefined);
      late.catch(() => undefined);
      return await Promise.race([answered, late]);
    } catch {
      signal.throwIfAborted();
      return undefined;
    } finally {
      this.#asked.delete(frame.id);
      enough.abort();
    }
  }
}
