import { describe, expect, it } from 'vitest';
import { Problem } from '../problem.ts';
import { apiHost, configKey, isKeyOf, isLoopback, parseRepository, registryHost } from './repository.ts';

describe('registryHost and parseRepository', () => {
  it.each([
    ['hello', 'docker.io', 'library/hello'],
    ['acme/hello', 'docker.io', 'acme/hello'],
    ['docker.io/hello', 'docker.io', 'library/hello'],
    ['index.docker.io/acme/hello', 'docker.io', 'acme/hello'],
    ['localhost/hello', 'localhost', 'hello'],
    ['localhost:5000/a/b', 'localhost:5000', 'a/b'],
    ['registry:5000/hello', 'registry:5000', 'hello'],
    ['[::1]:5000/hello', '[::1]:5000', 'hello'],
    ['ghcr.io/acme/team/hello', 'ghcr.io', 'acme/team/hello'],
    ['123456789012.dkr.ecr.eu-west-1.amazonaws.com/hello', '123456789012.dkr.ecr.eu-west-1.amazonaws.com', 'hello'],
    ['europe-docker.pkg.dev/proj/repo/hello', 'europe-docker.pkg.dev', 'proj/repo/hello'],
    ['a__b/c.d-e--f', 'docker.io', 'a__b/c.d-e--f'],
  ])('%s is on %s as %s', (repository, host, path) => {
    expect(registryHost(repository)).toBe(host);
    expect(parseRepository(repository)).toEqual({ host, path });
  });

  it.each([
    ['ghcr.io/Acme/hello', 'write ghcr.io/acme/hello'],
    ['Acme/hello', 'write acme/hello'],
    ['', 'lower-case letters'],
    ['localhost:5000/hello:latest', 'without a tag'],
    ['localhost:5000/', 'lower-case letters'],
    ['a b', 'lower-case letters'],
    ['a//b', 'lower-case letters'],
    ['https://ghcr.io/acme/hello', 'lower-case letters'],
    ['-x/y', 'lower-case letters'],
    ['evil.example@ghcr.io/x', 'lower-case letters'],
    [`a/${'b'.repeat(254)}`, 'lower-case letters'],
  ])('refuses %j', (repository, remedy) => {
    const error = catching(() => parseRepository(repository));
    expect(error).toBeInstanceOf(Problem);
    expect(error).toMatchObject({ remedy: expect.stringContaining(remedy) });
  });
});

describe('what Docker calls a host', () => {
  it.each([
    ['ghcr.io', 'ghcr.io', true],
    ['https://ghcr.io', 'ghcr.io', true],
    ['https://localhost:5000/v1/', 'localhost:5000', true],
    ['localhost:5001', 'localhost:5000', false],
    ['ghcr.io.example.com', 'ghcr.io', false],
    ['https://index.docker.io/v1/', 'docker.io', true],
    ['docker.io', 'docker.io', true],
    ['registry-1.docker.io', 'docker.io', true],
    ['https://index.docker.io/v1/', 'ghcr.io', false],
  ])('key %s means %s: %s', (key, host, yes) => {
    expect(isKeyOf(key, host)).toBe(yes);
  });

  it('has names of its own for Docker Hub', () => {
    expect([configKey('docker.io'), apiHost('docker.io')]).toEqual([
      'https://index.docker.io/v1/',
      'registry-1.docker.io',
    ]);
    expect([configKey('ghcr.io'), apiHost('ghcr.io')]).toEqual(['ghcr.io', 'ghcr.io']);
  });
});

describe('isLoopback', () => {
  it.each(['localhost', 'localhost:5000', '127.0.0.1', '127.9.9.9:80', '[::1]:5000'])('%s is this machine', (host) => {
    expect(isLoopback(host)).toBe(true);
  });
  it.each([
    'localhost.example.com',
    '127.0.0.1.example.com',
    '10.0.0.1',
    '128.0.0.1',
    'ghcr.io',
  ])('%s is not', (host) => {
    expect(isLoopback(host)).toBe(false);
  });
});

function catching(run: () => unknown): unknown {
  try {
    return run();
  } catch (error) {
    return error;
  }
}
