import { type Json, SpelledNumber } from '@slipway/prefect/json';
import { describe, expect, it } from 'vitest';
import { leafChanges, rootField } from './leaf-changes.ts';

const step = (directory: string): Json => ({ 'a.b.step': { directory } });

describe('the leaves at which two values differ', () => {
  it.each<[string, Json | undefined, Json | undefined, [string, Json | undefined, Json | undefined][]]>([
    ['are none where they mean the same', { a: 1, b: [1] }, { b: [1], a: new SpelledNumber('1.0') }, []],
    ['are the values themselves where they are plain', 'a', 'b', [['f', 'a', 'b']]],
    [
      'lie deep inside mappings',
      { properties: { x: { type: 'integer', title: 'X' } } },
      { properties: { x: { type: 'string', title: 'X' } } },
      [['f.properties.x.type', 'integer', 'string']],
    ],
    ['are a whole mapping that comes', {}, { x: { type: 'string' } }, [['f.x', undefined, { type: 'string' }]]],
    ['are a whole mapping that goes', { x: {} }, {}, [['f.x', {}, undefined]]],
    ['are a list of plain values as a whole', ['a', 'b'], ['a', 'c'], [['f', ['a', 'b'], ['a', 'c']]]],
    [
      'lie inside the one item that differs',
      [step('/a'), step('/b'), step('/c')],
      [step('/a'), step('/x'), step('/c')],
      [['f[1]["a.b.step"].directory', '/b', '/x']],
    ],
    ['are an item that comes at the front', [step('/b')], [step('/a'), step('/b')], [['f[0]', undefined, step('/a')]]],
    ['are an item that goes at the end', [step('/a'), step('/b')], [step('/a')], [['f[1]', step('/b'), undefined]]],
    ['keep a key with dots apart from a path', { 'a.b': 1 }, { 'a.b': 2 }, [['f["a.b"]', 1, 2]]],
    ['are both values where their kinds differ', { a: 1 }, [1], [['f', { a: 1 }, [1]]]],
    ['are null and a value', null, { a: 1 }, [['f', null, { a: 1 }]]],
  ])('%s', (_name, before, after, expected) => {
    const leaves = leafChanges('f', before, after);
    expect(leaves.map((leaf) => [leaf.field, leaf.before, leaf.after])).toEqual(expected);
  });

  it.each([
    ['tags', 'tags'],
    ['parameters.a.b', 'parameters'],
    ['pull_steps[0]["a.b"].x', 'pull_steps'],
    ['job_variables["a.b"]', 'job_variables'],
  ])('%s belongs to the field %s', (field, root) => {
    expect(rootField(field)).toBe(root);
  });
});
