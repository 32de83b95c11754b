import {
  type FlowRunRecord,
  type LogRecord,
  type PrefectApi,
  readFlowRuns,
  readLogs,
  setFlowRunState,
} from '@slipway/prefect/client';
import { isFinal } from '@slipway/prefect/states';
import type { Clock, Log } from '../world.ts';
import type { Run, RunState, StartedRun } from './model.ts';

/** How often the server is asked while runs are followed: soon after the start, then more rarely. */
const FIRST_POLL_MS = 500;
const LAST_POLL_MS = 5_000;
/** A run's last logs reach the server after its final state; they are waited for this long at most. */
const LATE_LOGS_MS = 6_000;
const CANCEL_DEADLINE_MS = 5_000;
const INFO = 20;

export interface FollowOptions {
  readonly timeoutMs: number;
  /** Ask the server to cancel what is not finished when the wait ends early. */
  readonly cancel: boolean;
}

export interface FollowWorld {
  readonly clock: Clock;
  readonly log: Log;
  readonly signal: AbortSignal;
}

/**
 * Follows runs to their final states, writing their logs and changes of state as they come.
 *
 * Failure model: a read that fails in passing is repeated by the client; when the job is cancelled or the time is up
 * the runs that are not finished are cancelled (if asked) and the result says so. Logs are read again from the last
 * time seen on and told apart by id, because they arrive in batches and out of order (contracts/deploy.md §6.4).
 */
export async function followRuns(
  started: readonly StartedRun[],
  api: PrefectApi,
  options: FollowOptions,
  world: FollowWorld,
): Promise<Run[]> {
  const { clock, log, signal } = world;
  const begin = clock.now();
  const ends = begin + options.timeoutMs;
  const logs = new LogReader(started, api, log);
  const states = new Map<string, RunState>();
  const finishedAt = new Map<string, number>();
  try {
    for (let pollMs = FIRST_POLL_MS; ; pollMs = Math.min(LAST_POLL_MS, pollMs * 1.3)) {
      const records = await readFlowRuns(api, { ids: started.map((run) => run.id) }, signal);
      for (const run of started) note(run, records, states, finishedAt, clock.now(), log);
      await logs.read(signal);
      if (finishedAt.size === started.length) {
        await logs.readLate(clock, signal);
        break;
      }
      if (clock.now() >= ends) break;
      await clock.sleep(Math.min(pollMs, ends - clock.now()), signal);
    }
  } catch (error) {
    if (signal.aborted && options.cancel)
      await cancelRuns(
        started.filter((run) => !finishedAt.has(run.id)),
        api,
        log,
      );
    throw error;
  }
  const unfinished = started.filter((run) => !finishedAt.has(run.id));
  if (unfinished.length > 0 && options.cancel) await cancelRuns(unfinished, api, log);
  return started.map((run): Run => {
    const state = states.get(run.id) ?? { type: 'SCHEDULED', name: 'Scheduled', message: undefined };
    const end = finishedAt.get(run.id);
    if (end === undefined) return { ...run, outcome: 'timed out', state, cancelled: options.cancel };
    return { ...run, outcome: 'finished', state, seconds: (end - begin) / 1000 };
  });
}

/** Asks the server to cancel runs; one that does not answer within 5 s is named in a warning and left. */
export async function cancelRuns(
  runs: readonly Pick<StartedRun, 'id' | 'name'>[],
  api: PrefectApi,
  log: Log,
): Promise<void> {
  await Promise.all(
    runs.map(async (run) => {
      try {
        const signal = AbortSignal.timeout(CANCEL_DEADLINE_MS);
        const answer = await setFlowRunState(api, run.id, { type: 'CANCELLING' }, { signal });
        // A run without infrastructure comes back as rejected, with the state Cancelled: that is what was asked for.
        if (answer.status !== 'ABORT') log.info(`cancelled run ${run.name}`);
      } catch (error) {
        log.warning(
          `run ${run.name} could not be cancelled: ${error instanceof Error ? error.message : String(error)}`,
        );
      }
    }),
  );
}

function note(
  run: StartedRun,
  records: readonly FlowRunRecord[],
  states: Map<string, RunState>,
  finishedAt: Map<string, number>,
  now: number,
  log: Log,
): void {
  const found = records.find((record) => record.id === run.id)?.state;
  // A run that is gone from the server was deleted: nothing will ever come of it.
  const state: RunState =
    found === undefined || found === null
      ? { type: 'CANCELLED', name: 'Deleted', message: 'the run was deleted on the server' }
      : { type: found.type, name: found.name ?? found.type, message: found.message ?? undefined };
  const before = states.get(run.id);
  states.set(run.id, state);
  if (before?.name !== state.name || before.type !== state.type) {
    log.info(`[${run.name}] ${state.name}${state.message && isFinal(state.type) ? `: ${state.message}` : ''}`);
  }
  if (isFinal(state.type) && !finishedAt.has(run.id)) finishedAt.set(run.id, now);
}

const LEVELS: readonly (readonly [number, string])[] = [
  [50, 'CRITICAL'],
  [40, 'ERROR'],
  [30, 'WARNING'],
  [20, 'INFO'],
  [0, 'DEBUG'],
];

class LogReader {
  readonly #names: ReadonlyMap<string, string>;
  readonly #api: PrefectApi;
  readonly #log: Log;
  readonly #seen = new Set<string>();
  #after: string | undefined;

  constructor(runs: readonly StartedRun[], api: PrefectApi, log: Log) {
    this.#names = new Map(runs.map((run) => [run.id, run.name]));
    this.#api = api;
    this.#log = log;
  }

  /** Writes what is new; true when there was anything. */
  async read(signal: AbortSignal): Promise<boolean> {
    const filter = { flowRunIds: [...this.#names.keys()], minimumLevel: INFO };
    const records = await readLogs(
      this.#api,
      this.#after === undefined ? filter : { ...filter, after: this.#after },
      signal,
    );
    const fresh = records.filter((record) => !this.#seen.has(record.id));
    for (const record of fresh) {
      this.#seen.add(record.id);
      this.#write(record);
    }
    const last = fresh.at(-1);
    if (last !== undefined) this.#after = earlier(last.timestamp, 10_000);
    return fresh.length > 0;
  }

  async readLate(clock: Clock, signal: AbortSignal): Promise<void> {
    const until = clock.now() + LATE_LOGS_MS;
    let quiet = 0;
    while (clock.now() < until && quiet < 2) {
      await clock.sleep(1_000, signal);
      quiet = (await this.read(signal)) ? 0 : quiet + 1;
    }
  }

  #write(record: LogRecord): void {
    const level = LEVELS.find(([least]) => record.level >= least)?.[1] ?? 'INFO';
    const name = this.#names.get(record.flow_run_id ?? '') ?? '';
    for (const line of record.message.split('\n')) {
      this.#log.info(`[${name}] ${record.timestamp.slice(11, 19)} ${level.padEnd(7)} ${line}`);
    }
  }
}

/** Logs are sent in batches by several processes; one may come with a time somewhat before the last one seen. */
function earlier(timestamp: string, ms: number): string {
  return new Date(Date.parse(timestamp) - ms).toISOString();
}
