import { describe, expect, it } from 'vitest';
import { type Json, parseJson } from '../json.ts';
import { applyJsonPatch } from './patch.ts';

const document: Json = { a: { b: [1, 2] }, c: 'x' };

describe('applyJsonPatch', () => {
  it.each<[string, Json[], Json]>([
    ['adds a member', [{ op: 'add', path: '/a/d', value: { e: null } }], { a: { b: [1, 2], d: { e: null } }, c: 'x' }],
    ['adds to the end of a list', [{ op: 'add', path: '/a/b/-', value: 3 }], { a: { b: [1, 2, 3] }, c: 'x' }],
    [
      'replaces, removes, tests',
      [
        { op: 'test', path: '/c', value: 'x' },
        { op: 'replace', path: '/c', value: 'y' },
        { op: 'remove', path: '/a/b/0' },
      ],
      { a: { b: [2] }, c: 'y' },
    ],
    [
      'moves and copies',
      [
        { op: 'move', from: '/c', path: '/d' },
        { op: 'copy', from: '/d', path: '/a/d' },
      ],
      { a: { b: [1, 2], d: 'x' }, d: 'x' },
    ],
    ['reads escaped names', [{ op: 'add', path: '/a~1b~0c', value: 1 }], { ...document, 'a/b~c': 1 }],
  ])('%s', (_what, patch, expected) => {
    const before = JSON.stringify(document);
    expect(applyJsonPatch(document, patch)).toEqual({ ok: true, document: expected });
    expect(JSON.stringify(document)).toBe(before);
  });

  it('keeps how numbers are spelt, in the document and in the patch', () => {
    const result = applyJsonPatch(parseJson('{"a": 1.0}'), [
      { op: 'copy', from: '/a', path: '/b' },
      { op: 'add', path: '/c', value: parseJson('12345678901234567890') },
      { op: 'test', path: '/b', value: parseJson('1.0') },
    ]);
    expect(JSON.stringify(result)).toBe('{"ok":true,"document":{"a":1.0,"b":1.0,"c":12345678901234567890}}');
  });

  it.each<[Json, string, RegExp]>([
    [{ op: 'add', path: '/x/y', value: 1 }, '/x/y', /add its parents first/],
    [{ op: 'replace', path: '/x', value: 1 }, '/x', /nothing at this path/],
    [{ op: 'remove', path: '/a/b/7' }, '/a/b/7', /nothing at this path/],
    [{ op: 'move', from: '/x', path: '/y' }, '/y', /nothing at "from"/],
    [{ op: 'add', path: '/a/b/x', value: 1 }, '/a/b/x', /named by its number/],
    [{ op: 'add', path: '/a/b/9', value: 1 }, '/a/b/9', /not that long/],
    [{ op: 'add', path: '/c/d', value: 1 }, '/c/d', /is no mapping and no list/],
    [{ op: 'test', path: '/c', value: 'secret' }, '/c', /another one than the test expects/],
    [{ op: 'add', path: 'c', value: 1 }, 'c', /begin with "\/"/],
    [{ op: 'add', path: '/__proto__/x', value: 1 }, '/__proto__/x', /not allowed/],
    [{ op: 'append', path: '/c', value: 1 }, '/c', /"op" must be one of add, remove/],
    [{ path: '/c', value: 1 }, '/c', /"op" must be one of add, remove/],
    [{ op: 'add', path: '/c' }, '/c', /"value" is missing/],
    [{ op: 'add', value: 1 }, '', /"path" must be a text/],
    [{ op: 'copy', path: '/c' }, '/c', /"from" must be a text/],
    ['remove /c', '', /is no operation of RFC 6902/],
    [null, '', /is no operation of RFC 6902/],
  ])('refuses %j', (operation, path, message) => {
    const result = applyJsonPatch(document, [{ op: 'test', path: '/c', value: 'x' }, operation]);
    expect(result).toEqual({ ok: false, failure: { index: 1, path, message: expect.stringMatching(message) } });
    expect(JSON.stringify(result)).not.toContain('secret');
  });
});
