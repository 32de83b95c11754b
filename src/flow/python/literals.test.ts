import { describe, expect, it } from 'vitest';
import { readNumber, readString } from './literals.ts';

describe('string literals', () => {
  it.each([
    ['"a"', 'a'],
    ["'it\\'s'", "it's"],
    ['"""a\nb"""', 'a\nb'],
    ['"a\\\nb"', 'ab'],
    ['"\\t\\x41\\u00e9\\U0001F600\\101\\7"', '\tAé😀A\x07'],
    ['r"\\d\\n"', '\\d\\n'],
    ['"\\d"', '\\d'],
    ['u"a"', 'a'],
    ['""', ''],
    ['""""""', ''],
  ])('%s is %j', (source, value) => {
    expect(readString(source)).toEqual({ kind: 'string', value });
  });

  it('keeps the bytes of a bytes literal one by one', () => {
    expect(readString('b"\\xff\\u0041"')).toEqual({ kind: 'bytes', value: '\xff\\u0041' });
  });

  it.each(['"\\N{DASH}"', '"\\x4"', '"\\U00110000"'])('%s is not decoded', (source) => {
    expect(readString(source)).toEqual({ kind: 'undecoded' });
  });
});

describe('number literals', () => {
  it.each([
    ['1_000', { kind: 'int', value: 1000n }],
    ['0x_ff', { kind: 'int', value: 255n }],
    ['0b101', { kind: 'int', value: 5n }],
    ['0o17', { kind: 'int', value: 15n }],
    ['100000000000000000000', { kind: 'int', value: 100000000000000000000n }],
    ['1.5e3', { kind: 'float', value: 1500 }],
    ['1e3', { kind: 'float', value: 1000 }],
    ['.5', { kind: 'float', value: 0.5 }],
    ['2j', { kind: 'complex', value: 2 }],
    ['20_', { kind: 'float', value: 20 }],
    ['00', { kind: 'int', value: 0n }],
  ])('%s', (text, expected) => {
    expect(readNumber(text)).toEqual(expected);
  });

  it('knows that Python refuses leading zeros', () => {
    expect(readNumber('0777')).toBeUndefined();
  });
});
