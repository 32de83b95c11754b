import { describe, expect, it } from 'vitest';
import type { Json, JsonObject } from '../json.ts';
import { applyJsonPatch } from './patch.ts';
import { unsettledOperations } from './settled.ts';

const template: JsonObject = { spec: { tolerations: [{ key: 'a' }], hostNetwork: true, ttl: 5 } };

function applied(document: JsonObject, patch: Json[]): Json {
  const result = applyJsonPatch(document, unsettledOperations(document, patch));
  if (!result.ok) throw new Error(result.failure.message);
  return result.document;
}

describe('a patch that describes a state', () => {
  it.each<[string, Json[]]>([
    ['adds to the end of a list', [{ op: 'add', path: '/spec/tolerations/-', value: { key: 'b' } }]],
    ['inserts into a list', [{ op: 'add', path: '/spec/tolerations/0', value: { key: 'b' } }]],
    ['removes', [{ op: 'remove', path: '/spec/ttl' }]],
    ['moves', [{ op: 'move', from: '/spec/ttl', path: '/spec/ttlSecondsAfterFinished' }]],
    ['sets a key', [{ op: 'add', path: '/spec/hostNetwork', value: false }]],
    [
      'builds a mapping in two operations',
      [
        { op: 'add', path: '/spec/selector', value: {} },
        { op: 'add', path: '/spec/selector/pool', value: 'flows' },
      ],
    ],
  ])('that %s changes the template once', (_name, patch) => {
    const once = applied(template, patch);
    expect(once).not.toEqual(template);
    expect(applied(once as JsonObject, patch)).toEqual(once);
  });

  it('keeps an operation that can never be carried out, so that its error is told', () => {
    const patch = [{ op: 'replace', path: '/spec/nowhere', value: 1 }];
    expect(unsettledOperations(template, patch)).toEqual(patch);
  });
});
