import { readFileSync } from 'node:fs';
import { isJsonObject, type Json, type JsonObject, parseJson, sameJson } from '@slipway/prefect/json';
import { describe, expect, it } from 'vitest';
import { automationBody, comparable } from './automation.ts';
import { triggerSpec } from './trigger-spec.ts';

const DEPLOYMENT = '11111111-1111-4111-8111-111111111111';

function goldens(): JsonObject[] {
  const cases = parseJson(readFileSync(new URL('./fixtures/triggers.json', import.meta.url), 'utf8'));
  return Array.isArray(cases) ? cases.filter(isJsonObject) : [];
}

/** The first step of each place that is wrong; pydantic reports rules about several keys at the trigger itself. */
function topKeys(places: readonly string[]): string[] {
  return [...new Set(places.map((place) => place.split('.')[0] ?? ''))].sort();
}

describe('a trigger of prefect.yaml is read as Prefect reads it', () => {
  const cases = goldens().map((golden) => ({ golden, title: JSON.stringify(golden.spec) }));

  it.each(cases.filter(({ golden }) => 'automation' in golden))('takes $title', ({ golden }) => {
    const read = triggerSpec.safeParse(golden.spec);
    expect(read.error?.issues ?? []).toEqual([]);
    const name = isJsonObject(golden.spec) && 'name' in golden.spec ? (read.data?.name ?? null) : 'd__automation_1';
    const body = read.data && automationBody({ ...read.data, name }, DEPLOYMENT);
    const wanted = golden.automation as JsonObject;
    expect(sameJson(comparable(body ?? {}), comparable(wanted)), JSON.stringify([body, wanted])).toBe(true);
  });

  it.each(cases.filter(({ golden }) => 'refused' in golden))('refuses $title', ({ golden }) => {
    const read = triggerSpec.safeParse(golden.spec);
    const found = topKeys(read.error?.issues.map((issue) => issue.path.join('.')) ?? []);
    expect(found).not.toEqual([]);
    const wanted = topKeys((golden.refused as Json[]).map(String));
    if (wanted.length > 0 && !wanted.includes('')) expect(found).toEqual(wanted);
  });
});
