import { describe, expect, it } from 'vitest';
import { Secrets } from './secrets.ts';

describe('secrets', () => {
  it.each<[string, string[], string, string]>([
    ['a secret', ['hunter2'], 'the password hunter2, hunter2', 'the password ***, ***'],
    ['each line of one of several lines', ['first line\nsecond'], 'second', '***'],
    ['the spelling of one in JSON', ['say "hi" to\\me'], '{"a":"say \\"hi\\" to\\\\me"}', '{"a":"***"}'],
    ['one that holds another, known before', ['pass', 'password123'], 'password123 pass', '*** ***'],
    ['one that is held by another, known before', ['password123', 'pass'], 'password123 pass', '*** ***'],
    ['nothing for a secret that may stand in any line', ['on'], 'on and on', 'on and on'],
  ])('takes out %s', (_what, secrets, text, expected) => {
    const known = new Secrets();
    for (const secret of secrets) known.add(secret);
    expect(known.redact(text)).toBe(expected);
  });

  it('tells each spelling once', () => {
    const known = new Secrets();
    expect(known.add('two\nlines "quoted"')).toEqual([
      'two\nlines "quoted"',
      'two\\nlines \\"quoted\\"',
      'lines "quoted"',
      'lines \\"quoted\\"',
    ]);
    expect(known.add('two\nlines "quoted"')).toEqual([]);
  });
});
