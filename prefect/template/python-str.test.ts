import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { isJsonObject, type Json, parseJson } from '../json.ts';
import { pythonStr } from './python-str.ts';

/** The cases are read with parseJson, as JSON.parse would lose how numbers are spelt. */
function cases(): { value: Json; str: string }[] {
  const file = parseJson(readFileSync(new URL('./fixtures/python-str.json', import.meta.url), 'utf8'));
  if (!isJsonObject(file) || !Array.isArray(file.cases)) throw new Error('python-str.json has no cases');
  return file.cases.map((item) => {
    if (!isJsonObject(item) || item.value === undefined || typeof item.str !== 'string') throw new Error('bad case');
    return { value: item.value, str: item.str };
  });
}

describe('pythonStr', () => {
  it('writes 300 values as Python’s str() does', () => {
    const all = cases();
    expect(all.length).toBe(300);
    expect(all.map(({ value }) => pythonStr(value))).toEqual(all.map(({ str }) => str));
  });

  it.each([
    ['1.0', '1.0'],
    ['1', '1'],
    ['1e16', '1e+16'],
    ['1E5', '100000.0'],
    ['0.00001', '1e-05'],
    ['-0', '0'],
    ['-0.0', '-0.0'],
    ['1e400', 'inf'],
    ['12345678901234567890', '12345678901234567890'],
    ['{"k": "v", "b": true, "l": ["q", 1, null]}', "{'k': 'v', 'b': True, 'l': ['q', 1, None]}"],
  ])('writes the JSON text %s as %s', (json, expected) => {
    expect(pythonStr(parseJson(json))).toBe(expected);
  });

  it('keeps a text as it is at the top and quotes it inside', () => {
    expect(pythonStr("it's")).toBe("it's");
    expect(pythonStr(["it's", 'say "hi"', `both ' and "`])).toBe(`["it's", 'say "hi"', 'both \\' and "']`);
  });
});
