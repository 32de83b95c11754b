import { type Json, type JsonObject, parseJson } from '@slipway/prefect/json';
import { Problem } from '../problem.ts';
import type { InputReader } from './reader.ts';

/** One line of the input `run`. */
export interface RunRequest {
  /** `flow/deployment` or `deployment`, as written. */
  readonly deployment: string;
  readonly parameters: JsonObject;
}

/** Reads the input `run`: a deployment a line, then perhaps its parameters as JSON. */
export function readRunRequests(reader: InputReader): RunRequest[] {
  return reader.lines('run').flatMap((line) => reader.attempt(() => [readRunRequest(line)], []));
}

function readRunRequest(line: string): RunRequest {
  const start = line.search(/\s+\{/);
  if (start === -1) return { deployment: line, parameters: {} };
  const deployment = line.slice(0, start).trim();
  let parameters: Json;
  try {
    parameters = parseJson(line.slice(start).trim());
  } catch (cause) {
    throw new Problem(`the parameters after ${deployment} in the input run are not JSON`, {
      remedy: 'Write them on one line: `hello/default {"name": "Ford"}`.',
      cause,
    });
  }
  return { deployment, parameters: parameters as JsonObject };
}
