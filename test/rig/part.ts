import type { Probe } from './probe.ts';
import type { Log } from './progress.ts';

/** What a part is started with. */
export interface StartContext {
  /** A folder of the part's own, empty, for all its data; sockets in it have short enough paths. */
  readonly folder: string;
  /** Where everything the part prints goes. */
  readonly logFile: string;
  /** The environment every part starts from: nothing of the user's settings, a home of its own. */
  readonly env: Readonly<Record<string, string>>;
  readonly log: Log;
  readonly signal: AbortSignal;
}

/** A part that answers. */
export interface Running {
  readonly name: string;
  /** Where it is reached: a URL, or `unix:///path`. */
  readonly address: string;
  readonly pid: number;
  /** How anyone can ask again whether it is well. */
  readonly probe: Probe;
  /** Settles when the process has ended, with how; never rejects. */
  readonly ended: Promise<string>;
  /** Ends it: SIGTERM, then SIGKILL when it takes too long. */
  stop(): Promise<void>;
}

/** One real server of the rig. Starting it resolves when it answers, and proves that it is the one that answers. */
export interface Part {
  readonly name: string;
  start(context: StartContext): Promise<Running>;
}
