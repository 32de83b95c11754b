import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { text as readAll } from 'node:stream/consumers';
import { type Json, parseJson, sameJson } from '@slipway/prefect/json';
import * as z from 'zod';
import { installPrefect, installUv } from '../rig/builds/prefect-environment.ts';
import type { Log } from '../rig/progress.ts';
import type { Outcome } from './outcome.ts';

/** What PyYAML makes of a text. */
export type Reading = { readonly value: Json } | { readonly refused: string };

const Answer = z.union([
  z.object({ value: z.custom<Json>((value) => value !== undefined) }),
  z.object({ refused: z.string() }),
]);

/** The Python that has the locked Prefect, and so its PyYAML; installed when this machine does not have it. */
export async function findPython(log: Log, signal: AbortSignal): Promise<string> {
  const { python } = await installPrefect(await installUv(log, signal), log, signal);
  return python;
}

/** Reads texts as Prefect's CLI does, all in one process. */
export async function readWithPyYaml(
  python: string,
  texts: readonly string[],
  signal: AbortSignal,
): Promise<Reading[]> {
  const child = spawn(python, [join(import.meta.dirname, 'pyyaml.py')], { stdio: ['pipe', 'pipe', 'inherit'], signal });
  const ended = once(child, 'close');
  child.stdin.end(texts.map((text) => `${JSON.stringify(text)}\n`).join(''));
  const [output] = await Promise.all([readAll(child.stdout), ended]);
  const readings = output
    .trimEnd()
    .split('\n')
    .map((line): Reading => Answer.parse(parseJson(line)));
  if (readings.length !== texts.length) throw new Error(`PyYAML read ${readings.length} of ${texts.length} texts`);
  return readings;
}

/**
 * Where we refuse on purpose what PyYAML reads, by our words: an invisible line end, a bomb, and what pydantic or the
 * request's JSON would refuse a moment later.
 */
const STRICTER = [
  /invisible line end/,
  /aliases and merges expand to more than/,
  /nested too deeply/,
  /stands inside its own anchor/,
];

/** Every text that we read and PyYAML refuses, or the other way round, or of which we read another value. */
export function differences(ours: readonly Outcome[], theirs: readonly Reading[]): { index: number; words: string }[] {
  return ours.flatMap((outcome, index) => {
    const reading = theirs[index];
    if (outcome.kind === 'defect' || reading === undefined) return [];
    const words = difference(outcome, reading);
    return words === undefined ? [] : [{ index, words }];
  });
}

function difference(ours: Exclude<Outcome, { kind: 'defect' }>, theirs: Reading): string | undefined {
  if (ours.yaml === undefined) {
    const isMeant = 'refused' in theirs || STRICTER.some((words) => words.test(ours.words));
    return isMeant ? undefined : `PyYAML reads it, we do not: ${ours.words}`;
  }
  if ('refused' in theirs) return `we read it, PyYAML does not: ${theirs.refused}`;
  if (sameJson(parseJson(ours.yaml), theirs.value)) return undefined;
  return `another value; ours:\n${ours.yaml}\nPyYAML's:\n${JSON.stringify(theirs.value)}`;
}
