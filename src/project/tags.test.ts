import { type Json, SpelledNumber } from '@slipway/prefect/json';
import { describe, expect, it } from 'vitest';
import { tagList } from './tags.ts';

describe('tags as they are sent', () => {
  it.each<[string, Json | undefined, string[] | undefined]>([
    ['nothing', undefined, []],
    ['null', null, []],
    ['a list of texts', ['a', 'b'], ['a', 'b']],
    ['blank items', ['a', '', ' ', 'b'], ['a', 'b']],
    [
      'items of other kinds',
      [1, new SpelledNumber('2.0'), true, null, { a: 'b' }],
      ['1', '2.0', 'True', 'None', "{'a': 'b'}"],
    ],
    ['a text, which is its characters', 'a,b', ['a', ',', 'b']],
    ['a mapping', { a: 1 }, undefined],
    ['a number', 5, undefined],
  ])('%s', (_what, written, tags) => {
    expect(tagList(written)).toEqual(tags);
  });
});
