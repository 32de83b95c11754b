import * as core from '@actions/core';
import * as z from 'zod';

/** What main leaves for post: things that must be undone also when main died. */
export interface JobState {
  /** Directories that hold or held credentials. */
  readonly directories: readonly string[];
  /** Runs that were started and not followed to their end. */
  readonly runs: readonly { readonly id: string; readonly name: string }[];
}

const StoredState = z.object({
  directories: z.array(z.string()),
  runs: z.array(z.object({ id: z.string(), name: z.string() })),
});

const KEY = 'slipway';

/** Keeps the state in the runner's state file, written anew with every change, so that a kill at any moment is covered. */
export class StateFile {
  #state: JobState = { directories: [], runs: [] };

  rememberDirectory(directory: string): void {
    this.#save({ ...this.#state, directories: [...this.#state.directories, directory] });
  }

  rememberRun(run: { readonly id: string; readonly name: string }): void {
    this.#save({ ...this.#state, runs: [...this.#state.runs, { id: run.id, name: run.name }] });
  }

  /** The runs have ended, or are not to be cancelled. */
  forgetRuns(): void {
    this.#save({ ...this.#state, runs: [] });
  }

  #save(state: JobState): void {
    this.#state = state;
    core.saveState(KEY, JSON.stringify(state));
  }
}

/** What main left behind; nothing when it did not come that far. */
export function readState(): JobState {
  const text = core.getState(KEY);
  return text === '' ? { directories: [], runs: [] } : StoredState.parse(JSON.parse(text));
}
