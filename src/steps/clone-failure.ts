import { lastLines } from './run-shell-script.ts';

/** Why a clone failed. */
export interface CloneFailure {
  readonly reason: string;
  readonly remedy: string;
  /** Trying again would not help. */
  readonly isFinal: boolean;
}

/** What git says of a failed clone, and what to do about it. */
const KNOWN_FAILURES: readonly (readonly [RegExp, string])[] = [
  [/Remote branch .* not found/, 'Correct `branch`.'],
  [
    /could not read (?:Username|Password)|Authentication failed|HTTP 40[13]|error: 40[13]|Permission denied/i,
    'Give an `access_token` or `credentials` that may read it; the job’s own token is for its own repository only.',
  ],
  [
    /not found|does not (?:exist|appear)/i,
    'Correct `repository`; a private one needs `access_token` or `credentials`.',
  ],
  [/already exists and is not an empty directory/, 'Give another `clone_directory_name`, or remove that directory.'],
];

/** @param stderr all that git said. */
export function cloneFailure(stderr: string): CloneFailure {
  const known = KNOWN_FAILURES.find(([pattern]) => pattern.test(stderr))?.[1];
  const remedy = known ?? 'Check the address, and the network between here and there.';
  return { reason: lastLines(stderr), remedy, isFinal: known !== undefined };
}
