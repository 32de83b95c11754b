import type { StateType } from '@slipway/prefect/states';

/** A run as the Prefect server has it. */
export interface RunAccount {
  readonly id: string;
  readonly state: StateType;
  readonly message?: string | undefined;
  /** Where its Job is, as the run says: `namespace:name`. */
  readonly pid?: string | undefined;
}

/** A Job as the cluster has it. */
export interface JobAccount {
  readonly name: string;
  readonly flowRunId: string;
}

export interface Accounts {
  /** Runs that have one Job and are Pending, as they stay when no pod starts. */
  readonly right: number;
  /** Runs without a Job, each with the state it is in. */
  readonly lost: readonly string[];
  /** Runs with several Jobs; or with one, and due to get another. */
  readonly double: readonly string[];
  /** Jobs of no run, and runs in a state that nobody asked for. */
  readonly strange: readonly string[];
}

/** Balances runs against Jobs: every run has exactly one, and every Job belongs to a run. */
export function balance(runs: readonly RunAccount[], jobs: readonly JobAccount[]): Accounts {
  const known = new Set(runs.map(({ id }) => id));
  const of = Map.groupBy(jobs, ({ flowRunId }) => flowRunId);
  const lost: string[] = [];
  const double: string[] = [];
  const strange = jobs.filter(({ flowRunId }) => !known.has(flowRunId)).map(({ name }) => `Job ${name} is of no run`);
  let right = 0;
  for (const { id, state, message } of runs) {
    const names = (of.get(id) ?? []).map(({ name }) => name);
    const is = `run ${id} is ${state}${message ? ` (${message})` : ''}`;
    if (names.length === 0) lost.push(`${is} and has no Job`);
    else if (names.length > 1) double.push(`${is} and has the Jobs ${names.join(', ')}`);
    else if (state === 'SCHEDULED') double.push(`${is}, to get another Job than ${names[0]}`);
    else if (state !== 'PENDING') strange.push(`${is} although its Job ${names[0]} has no pod`);
    else right += 1;
  }
  return { right, lost, double, strange };
}
