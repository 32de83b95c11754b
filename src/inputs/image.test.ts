import { describe, expect, it } from 'vitest';
import { readImageInputs } from './image.ts';
import { problemsIn, readerOf } from './testing-reader.ts';

const IMAGE = 'ghcr.io/acme/hello';

describe('image inputs', () => {
  it('are nothing without an image', () => {
    const reader = readerOf({ tags: '{sha}', context: '.', platforms: 'linux/amd64', push: 'true' });
    expect(readImageInputs(reader)).toBeUndefined();
    expect(reader.problems).toEqual([]);
  });

  it('have defaults for everything but the image', () => {
    expect(read({ image: IMAGE })).toEqual({
      repository: IMAGE,
      tags: ['{sha}'],
      file: undefined,
      context: '.',
      platforms: [],
      target: undefined,
      buildArgs: {},
      buildContexts: {},
      secrets: [],
      ssh: [],
      labels: {},
      cacheFrom: [],
      cacheTo: [],
      noCache: false,
      pull: false,
      provenance: undefined,
      sbom: undefined,
      network: undefined,
      addHosts: [],
      push: true,
    });
  });

  it.each<[string, Record<string, string>, object]>([
    ['tags on lines and between commas', { tags: 'latest, {sha}\n\n v1 ' }, { tags: ['latest', '{sha}', 'v1'] }],
    [
      'tags as docker/metadata-action puts them out',
      { tags: `${IMAGE}:v1\n${IMAGE}:latest` },
      { tags: ['v1', 'latest'] },
    ],
    [
      'platforms once',
      { platforms: 'linux/amd64,linux/arm64/v8\nlinux/amd64' },
      { platforms: ['linux/amd64', 'linux/arm64/v8'] },
    ],
    ['build arguments with commas', { 'build-args': 'A=1,2\nB=x=y\nC=' }, { buildArgs: { A: '1,2', B: 'x=y', C: '' } }],
    [
      'a quoted item',
      { 'build-args': '"A=say ""hi"",\nthen go"\nB=a "b" c' },
      { buildArgs: { A: 'say "hi",\nthen go', B: 'a "b" c' } },
    ],
    ['a `#` as itself', { labels: 'color=#fff\n#x=1' }, { labels: { color: '#fff', '#x': '1' } }],
    ['a label alone', { labels: 'draft' }, { labels: { draft: '' } }],
    [
      'a build argument from the environment',
      { 'build-args': 'FROM_ENV\nNOT_THERE' },
      { buildArgs: { FROM_ENV: 'here' } },
    ],
    [
      'caches with their options',
      { 'cache-from': 'type=gha,scope=a\nacme/cache' },
      { cacheFrom: ['type=gha,scope=a', 'acme/cache'] },
    ],
    ['hosts', { 'add-hosts': 'db:10.0.0.1,mq:10.0.0.2' }, { addHosts: ['db:10.0.0.1', 'mq:10.0.0.2'] }],
    ['attestations', { provenance: 'mode=max', sbom: 'true' }, { provenance: 'mode=max', sbom: 'true' }],
    ['no attestations', { provenance: 'false', sbom: 'false' }, { provenance: undefined, sbom: undefined }],
    [
      'secrets by value and by place',
      { secrets: 'token=a=b,c\n"key=line 1\nline 2"\nid=aws,src=/run/aws\nid=npm,env=NPM_TOKEN' },
      {
        secrets: [
          { kind: 'value', id: 'token', value: 'a=b,c' },
          { kind: 'value', id: 'key', value: 'line 1\nline 2' },
          { kind: 'found elsewhere', spec: 'id=aws,src=/run/aws' },
          { kind: 'found elsewhere', spec: 'id=npm,env=NPM_TOKEN' },
        ],
      },
    ],
  ])('take %s', (_what, given, expected) => {
    expect(read({ image: IMAGE, ...given })).toMatchObject(expected);
  });

  it.each([
    ['GHCR.io/Acme/Hello', 'ghcr.io/acme/hello'],
    ['localhost:5000/hello', 'localhost:5000/hello'],
    ['acme/hello', 'acme/hello'],
  ])('read the image %s as %s', (image, repository) => {
    expect(read({ image })?.repository).toBe(repository);
  });

  it.each<[string, Record<string, string>, string]>([
    ['a tag in the image', { image: `${IMAGE}:v1` }, 'with a tag or a digest in it'],
    ['a tag after a port', { image: 'localhost:5000/hello:1' }, 'with a tag or a digest in it'],
    ['a digest in the image', { image: `${IMAGE}@sha256:${'0'.repeat(64)}` }, 'with a tag or a digest in it'],
    ['an address as image', { image: 'https://ghcr.io/acme/hello' }, 'is no image repository'],
    ['a name with a space', { image: 'acme/hel lo' }, 'is no image repository'],
    ['a tag that is none', { tags: 'my tag' }, '"my tag" is no tag'],
    ['a tag of another repository', { tags: 'ghcr.io/other:v1' }, 'is no tag'],
    ['a placeholder that is none', { tags: '{commit}' }, 'has the placeholder {commit}'],
    ['a platform without architecture', { platforms: 'amd64' }, 'the input platforms has "amd64"'],
    ['a build argument without name', { 'build-args': 'A=1\n=2' }, 'item 2 of the input build-args has no name'],
    ['a flag that is none', { 'no-cache': 'yes' }, 'the input no-cache is "yes"'],
    ['an attestation that is none', { sbom: 'yes' }, 'the input sbom is "yes"'],
    [
      'several platforms without push',
      { push: 'false', platforms: 'linux/amd64,linux/arm64' },
      'several platforms and is not pushed',
    ],
    ['an attestation without push', { push: 'false', provenance: 'true' }, 'and the image is not pushed'],
  ])('refuse %s', (_what, given, expected) => {
    const reader = readerOf({ image: IMAGE, ...given });
    readImageInputs(reader);
    expect(problemsIn(reader)).toEqual([expect.stringContaining(expected)]);
  });

  it.each([
    ['without id', 'hunter2', 'item 1 of the input secrets is no id=value'],
    ['with an empty value', 'a=b\ntoken=', 'item 2 of the input secrets'],
    ['with an open quote', '"token=hunter2', 'a double quote opens an item and does not close it'],
  ])('refuse a secret %s and do not repeat it', (_what, secrets, expected) => {
    const reader = readerOf({ image: IMAGE, secrets });
    readImageInputs(reader);
    const [problem, ...others] = problemsIn(reader);
    expect(others).toEqual([]);
    expect(problem).toContain(expected);
    expect(problem).not.toContain('hunter2');
  });

  function read(given: Record<string, string>) {
    const reader = readerOf(given, { FROM_ENV: 'here' });
    const inputs = readImageInputs(reader);
    expect(problemsIn(reader)).toEqual([]);
    return inputs;
  }
});
