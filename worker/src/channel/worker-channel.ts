/**
 * The worker channel: one WebSocket to the Prefect server over which heartbeats go, and the work pool and cleanup come,
 * instead of being asked for (contracts/worker.md §3.5).
 *
 * Failure model. The channel is an opportunity: whatever becomes of it, the worker goes on by REST, and `healthy` says
 * at each moment which of the two counts. A channel that breaks, or never came about, is opened again after a jittered,
 * growing pause; where the server says that there is none for us, REST stays for good. A server that accepts and then
 * closes at once does not get more visits for it: only a channel that lasted starts the pauses anew. What the server
 * sends is checked whole before any of it counts, and a frame that is not of this protocol ends the channel for good,
 * as for Prefect's worker.
 */
import type { WorkPoolRecord } from '@slipway/prefect/client';
import { type PrefectSocket, SocketEndedError } from '@slipway/prefect/socket';
import { fullJitter } from '../backoff.ts';
import { Wakeup } from '../wakeup.ts';
import type { World } from '../world.ts';
import {
  CLEANUP_DELIVERY,
  type CleanupMessage,
  type ClientFrame,
  type Hello,
  heartbeatFrame,
  helloFrame,
  type OperationResult,
  ProtocolError,
  type Ready,
  readFrame,
  type ServerFrame,
  type Snapshot,
} from './frames.ts';
import { judgeEnd, type Verdict } from './verdict.ts';

/** Who works on what the server hands out. */
export interface CleanupWork {
  /** @param room how many messages come at one time; 0: none on this channel. */
  connected(room: number): void;
  submit(message: CleanupMessage, sentAt: number): void;
  answered(result: OperationResult, sentAt: number): void;
}

export interface ChannelOptions {
  /** Opens the socket; its credentials are taken when it resolves. */
  readonly open: (signal: AbortSignal) => Promise<PrefectSocket>;
  readonly hello: Hello;
  /** Told of the pool as the server has it now. */
  readonly poolIs: (pool: WorkPoolRecord) => void;
  /** Told when `healthy` has changed. */
  readonly changed: () => void;
  readonly world: World;
}

/** While it has never been healthy there may be none to be had: then the pauses grow longer. */
const RETRY = { firstMs: 1_000, mostMs: 30_000 };
const RETRY_UNSEEN = { firstMs: 1_000, mostMs: 300_000 };
/** How long the answer to hello may take (Prefect's setup timeout). */
const READY_MS = 10_000;
/**
 * A channel that lived this long was no flicker. Less than the usual interval of heartbeats: a SQLite server that is busy
 * closes the channel at the heartbeat that it cannot write down, and takes the next one at once.
 */
const LASTED_MS = 10_000;

interface Session {
  readonly socket: PrefectSocket;
  readonly takesCleanup: boolean;
}

export class WorkerChannel {
  readonly #options: ChannelOptions;
  readonly #tried = Promise.withResolvers<void>();
  #session: Session | undefined;
  readonly #wakeup = new Wakeup();
  #metadataTaken = false;

  constructor(options: ChannelOptions) {
    this.#options = options;
  }

  /** Heartbeats go over the channel and changes of the pool come by it: nothing of that is needed by REST. */
  get healthy(): boolean {
    return this.#session !== undefined;
  }

  /** Resolves when the first try has come to something, or the channel is over; never rejects. */
  get tried(): Promise<void> {
    return this.#tried.promise;
  }

  /** Keeps the channel open until the signal is aborted. Never rejects. @param cleanup gets what is handed out. */
  async run(cleanup: CleanupWork, signal: AbortSignal): Promise<void> {
    const { clock, log, random } = this.#options.world;
    let everHealthy = false;
    for (let failures = 1; !signal.aborted; failures += 1) {
      const { verdict, lastedMs } = await this.#keepOne(cleanup, signal);
      this.#tried.resolve();
      if (signal.aborted) break;
      everHealthy ||= lastedMs !== undefined;
      const told = `${verdict.reason}: ${verdict.detail}`;
      if (!verdict.again) {
        log.info(`The worker channel is not used (${told}): heartbeats and the work pool go by REST.`);
        break;
      }
      if (lastedMs !== undefined && lastedMs >= LASTED_MS) failures = 1;
      const pauseMs = fullJitter(failures, everHealthy ? RETRY : RETRY_UNSEEN, random);
      log.debug(`Worker channel: ${told}; REST until it is back, trying again in ${(pauseMs / 1000).toFixed(1)} s`);
      await clock.sleep(pauseMs, signal).catch(() => undefined);
    }
    this.#tried.resolve();
    if (signal.aborted) return;
    await new Promise<void>((over) => signal.addEventListener('abort', () => over(), { once: true }));
  }

  /** Sends a frame about cleanup over the channel that is open, or the next one that takes it. */
  async send(frame: ClientFrame, signal: AbortSignal): Promise<void> {
    for (;;) {
      signal.throwIfAborted();
      const session = this.#session;
      if (session?.takesCleanup) {
        try {
          await session.socket.send(frame.text);
          return;
        } catch (error) {
          if (!(error instanceof SocketEndedError)) throw error;
          if (this.#session !== session) continue;
        }
      }
      await this.#wakeup.next(signal);
    }
  }

  /** One channel from its opening to its end. @returns why it ended, and how long it was healthy, if ever. */
  async #keepOne(
    cleanup: CleanupWork,
    signal: AbortSignal,
  ): Promise<{ readonly verdict: Verdict & { readonly detail: string }; readonly lastedMs: number | undefined }> {
    const { world, open, poolIs } = this.#options;
    const over = new AbortController();
    let socket: PrefectSocket | undefined;
    let healthyAt: number | undefined;
    try {
      socket = await open(signal);
      const ready = await this.#greet(socket);
      healthyAt = world.clock.now();
      const takesCleanup = ready.accepted_capabilities.includes(CLEANUP_DELIVERY);
      poolIs(ready.initial_snapshot.work_pool);
      cleanup.connected(ready.effective_max_cleanup_concurrency);
      this.#become({ socket, takesCleanup });
      world.log.info('Worker channel open: heartbeats and the work pool go over it.');
      const beating = AbortSignal.any([signal, over.signal]);
      return await Promise.race([
        this.#beat(socket, ready.effective_heartbeat_interval_seconds, beating),
        this.#listen(socket, ready.initial_snapshot, takesCleanup, cleanup),
      ]);
    } catch (error) {
      const lastedMs = healthyAt === undefined ? undefined : world.clock.now() - healthyAt;
      return { verdict: verdictOn(error), lastedMs };
    } finally {
      over.abort();
      this.#become(undefined);
      await socket?.close();
    }
  }

  async #greet(socket: PrefectSocket): Promise<Ready> {
    const { hello, world } = this.#options;
    const metadata = this.#metadataTaken ? null : hello.metadata;
    await socket.send(helloFrame({ ...hello, metadata }, world.clock.now()).text);
    const frame = readFrame(await socket.receive(AbortSignal.timeout(READY_MS)));
    if (frame.type !== 'worker.ready.v1') throw new ProtocolError(`worker.ready.v1 was expected, not ${frame.type}`);
    if (frame.payload.consumer_id !== hello.consumerId) throw new ProtocolError('the answer to hello is for another');
    this.#metadataTaken = true;
    return frame.payload;
  }

  async #beat(socket: PrefectSocket, seconds: number, signal: AbortSignal): Promise<never> {
    const { hello, world } = this.#options;
    for (;;) {
      await world.clock.sleep(seconds * 1000, signal);
      await socket.send(heartbeatFrame(hello, seconds, world.clock.now()).text);
    }
  }

  async #listen(socket: PrefectSocket, initial: Snapshot, takesCleanup: boolean, cleanup: CleanupWork): Promise<never> {
    let sequence = initial.snapshot_sequence;
    for (;;) {
      const frame: ServerFrame = readFrame(await socket.receive());
      if (frame.type === 'work_pool.snapshot.v1') {
        // Numbered within one channel; each holds the whole pool.
        if (frame.payload.snapshot_sequence <= sequence) continue;
        sequence = frame.payload.snapshot_sequence;
        this.#options.poolIs(frame.payload.work_pool);
      } else if (frame.type === 'worker.ready.v1' || !takesCleanup) {
        throw new ProtocolError(`${frame.type} was not expected`);
      } else if (frame.type === 'cleanup.message.v1') cleanup.submit(frame.payload, frame.sent_at);
      else cleanup.answered(frame.payload, frame.sent_at);
    }
  }

  #become(session: Session | undefined): void {
    const before = this.healthy;
    this.#session = session;
    this.#wakeup.wake();
    if (session !== undefined) this.#tried.resolve();
    if (before !== this.healthy) this.#options.changed();
  }
}

function verdictOn(error: unknown): Verdict & { readonly detail: string } {
  const detail = error instanceof Error ? error.message : String(error);
  if (error instanceof SocketEndedError) return { ...judgeEnd(error.end), detail };
  if (error instanceof ProtocolError) return { again: false, reason: 'protocol_error', detail };
  if (error instanceof Error && error.name === 'TimeoutError') {
    return { again: true, reason: 'setup_timeout', detail: 'hello was not answered' };
  }
  return { again: true, reason: 'transient_server_error', detail };
}
