/** The cases of cases.json and Prefect's answers to them, which goldens.json keeps under a key that says to what. */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { isJsonObject, type Json, type JsonObject, parseJson } from '@slipway/prefect/json';
import * as z from 'zod';
import { PREFECT_REQUIREMENTS } from '../../rig/builds/prefect-environment.ts';

const json = z.custom<Json>((value) => value !== undefined);
export const object = z.custom<JsonObject>((value) => isJsonObject(value));

export const Case = z.strictObject({
  about: z.string(),
  /** RFC 6902 operations on the default template. */
  template: z.array(json).default([]),
  /** Job variables of the deployment and of the run. */
  deployment: object.default({}),
  run: object.default({}),
  noDeployment: z.boolean().default(false),
  names: z.partialRecord(z.enum(['flow', 'deployment', 'run', 'pool', 'worker']), z.string()).default({}),
  parameters: object.default({}),
  tags: z.array(z.string()).default([]),
  /** Data of block documents, by `<type slug>/<name>` or by id. */
  blocks: z.record(z.string(), object).default({}),
  variables: z.record(z.string(), json).default({}),
  /** The worker's environment beside PREFECT_API_URL. */
  env: z.record(z.string(), z.string()).default({}),
});
export type Case = z.infer<typeof Case>;

/** What was asked of Kubernetes, in order, or why nothing was. */
export const Answer = z.union([
  z.strictObject({
    about: z.string(),
    requests: z.array(z.strictObject({ method: z.string(), path: z.string(), body: object })),
  }),
  z.strictObject({ about: z.string(), error: z.string() }),
]);
export type Answer = z.infer<typeof Answer>;

export const Goldens = z.strictObject({ key: z.string(), answers: z.array(Answer) });

const fileAt = (name: string) => new URL(name, import.meta.url);
export const GOLDENS_FILE: URL = fileAt('fixtures/goldens.json');
export const GENERATOR_FILE: URL = fileAt('prefect_jobs.py');
export const CASES_TEXT: string = readFileSync(fileAt('fixtures/cases.json'), 'utf8');

export function readCases(): Case[] {
  return z.strictObject({ cases: z.array(Case) }).parse(parseJson(CASES_TEXT)).cases;
}

/** Changes with whatever decides the answers: Prefect's lock file, the generator, the cases. */
export function goldenKey(): string {
  const hash = createHash('sha256');
  for (const file of [PREFECT_REQUIREMENTS, GENERATOR_FILE]) hash.update(readFileSync(file));
  return hash.update(CASES_TEXT).digest('hex');
}
