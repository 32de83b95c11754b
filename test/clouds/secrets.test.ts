import { describe, expect, it } from 'vitest';
import { secretsIn, withoutMasks } from './secrets.ts';

const SECRET = 'ya29.d.q/8w+Zk3fXv0RrTt';
const base64 = (text: string) => Buffer.from(text).toString('base64');

describe('the search for secrets', () => {
  it.each([
    ['as it is', `token ${SECRET}.`],
    ['in a form', `a=1&token=${encodeURIComponent(SECRET)}`],
    ...['', 'A:', 'AW:', 'AWS:'].map((user) => [`behind ${user} in base64`, base64(`${user}${SECRET} and more`)]),
  ])('finds one %s', (_how, text) => {
    expect(secretsIn({ 'the log': `before\n${text}\nafter` }, ['another-secret', SECRET])).toEqual([
      'ya29.d.q/8w+… in the log',
    ]);
  });

  it('finds none where there is none', () => {
    expect(secretsIn({ 'the log': base64('AWS:another password') }, [SECRET])).toEqual([]);
  });

  it('passes over what the runner is told to mask', () => {
    expect(withoutMasks(`one\n::add-mask::${SECRET}\ntwo`)).toBe('one\ntwo');
  });
});
