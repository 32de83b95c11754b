import { describe, expect, it } from 'vitest';
import { parseChallenge } from './challenge.ts';

describe('parseChallenge', () => {
  it.each([
    ['Basic realm="r"', { scheme: 'basic' }],
    ['basic', { scheme: 'basic' }],
    [
      'Bearer realm="https://auth.docker.io/token",service="registry.docker.io"',
      { scheme: 'bearer', realm: 'https://auth.docker.io/token', service: 'registry.docker.io' },
    ],
    [
      'bearer service=r , realm="https://r/a?x=\\"1\\"", scope="repository:a/b:pull,push", error="invalid_token"',
      { scheme: 'bearer', realm: 'https://r/a?x="1"', service: 'r' },
    ],
    ['Bearer realm="https://r/token"', { scheme: 'bearer', realm: 'https://r/token', service: undefined }],
    [
      'Basic realm="r", Bearer realm="https://r/token"',
      { scheme: 'bearer', realm: 'https://r/token', service: undefined },
    ],
    ['Bearer service="x"', undefined],
    ['Negotiate', undefined],
    ['', undefined],
    [null, undefined],
  ])('reads %s', (header, challenge) => {
    expect(parseChallenge(header)).toEqual(challenge);
  });
});
