import { describe, expect, it } from 'vitest';
import { repositoryOf, stripCredentials, webUrl } from './remote-url.ts';

describe('stripCredentials', () => {
  it.each([
    ['https://x-access-token:ghs_secret@github.com/acme/demo', 'https://github.com/acme/demo'],
    ['https://ghp_secret@github.com/acme/demo.git', 'https://github.com/acme/demo.git'],
    ['https://user:p@ss@host.example:8443/acme/demo', 'https://host.example:8443/acme/demo'],
    ['HTTPS://u:p@host/x', 'HTTPS://host/x'],
    ['ssh://git:secret@host.example:22/acme/demo', 'ssh://git@host.example:22/acme/demo'],
    ['git+ssh://git@host/acme/demo', 'git+ssh://git@host/acme/demo'],
    ['git@github.com:acme/demo.git', 'git@github.com:acme/demo.git'],
    ['https://github.com/acme/demo@v1', 'https://github.com/acme/demo@v1'],
    ['https://org@dev.azure.com/org/p/_git/r', 'https://dev.azure.com/org/p/_git/r'],
    ['/srv/git/demo.git', '/srv/git/demo.git'],
  ])('turns %s into %s', (remote, stripped) => {
    expect(stripCredentials(remote)).toBe(stripped);
  });
});

describe('webUrl and repositoryOf', () => {
  it.each([
    ['https://github.com/acme/demo', 'https://github.com/acme/demo', 'acme/demo'],
    ['https://u:p@github.com/acme/demo.git/', 'https://github.com/acme/demo', 'acme/demo'],
    ['http://git.example:3000/acme/demo.git', 'http://git.example:3000/acme/demo', 'acme/demo'],
    ['git@github.com:acme/demo.git', 'https://github.com/acme/demo', 'acme/demo'],
    ['ssh://git@git.example:2222/team/sub/demo.git', 'https://git.example/team/sub/demo', 'team/sub/demo'],
    ['git://git.example/demo.git', 'https://git.example/demo', 'demo'],
    ['/srv/git/demo.git', undefined, undefined],
    ['../demo', undefined, undefined],
    ['file:///srv/git/demo.git', undefined, undefined],
    ['C:/repos/demo', undefined, undefined],
  ])('of %s are %s and %s', (remote, url, repository) => {
    expect([webUrl(remote), repositoryOf(remote)]).toEqual([url, repository]);
  });
});
