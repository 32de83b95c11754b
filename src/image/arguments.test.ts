import { describe, expect, it } from 'vitest';
import { buildxArguments } from './arguments.ts';
import type { ImagePlan } from './model.ts';
import { somePlan } from './testing-plan.ts';

const FILES = { metadataFile: '/tmp/m.json', dockerfilePath: '/srv/project/Dockerfile', rewritesTimestamps: true };
const HEAD = ['buildx', 'build', '--progress=plain', '--provenance=false'];
const PLACES = ['--metadata-file', '/tmp/m.json', '--file', '/srv/project/Dockerfile'];
const TAG = ['--tag', 'localhost:5000/hello:f3d46caf'];

describe('buildxArguments', () => {
  it('attests provenance when that is asked for', () => {
    expect(buildxArguments(somePlan({ provenance: 'mode=max' }), FILES)).toContain('--provenance=mode=max');
  });

  it('gives a plain plan the shortest command', () => {
    expect(buildxArguments(somePlan(), FILES)).toEqual([...HEAD, ...PLACES, ...TAG, '--push', '/srv/project']);
  });

  it.each<[string, Partial<ImagePlan>, string[]]>([
    ['platforms', { platforms: ['linux/amd64', 'linux/arm64'] }, ['--platform', 'linux/amd64,linux/arm64']],
    ['a target', { target: 'release' }, ['--target', 'release']],
    [
      'build arguments, in the order of their names',
      { buildArgs: { B: 'x y', A: '$HOME "q"', C: '' } },
      ['--build-arg', 'A=$HOME "q"', '--build-arg', 'B=x y', '--build-arg', 'C='],
    ],
    ['labels', { labels: { b: '1', a: 'x=y' } }, ['--label', 'a=x=y', '--label', 'b=1']],
    ['caches to read', { cacheFrom: ['type=gha', 'acme/x'] }, ['--cache-from', 'type=gha', '--cache-from', 'acme/x']],
    ['caches to write', { cacheTo: ['type=inline'] }, ['--cache-to', 'type=inline']],
    ['no cache', { noCache: true }, ['--no-cache']],
    ['newer base images', { pull: true }, ['--pull']],
    ['a network', { network: 'host' }, ['--network', 'host']],
    [
      'secrets and keys',
      { secrets: ['id=a,env=A', 'id=b,src=/b'], ssh: ['default'] },
      ['--secret', 'id=a,env=A', '--secret', 'id=b,src=/b', '--ssh', 'default'],
    ],
    ['an SBOM', { sbom: 'generator=acme/scanner' }, ['--sbom=generator=acme/scanner']],
    ['more contexts', { buildContexts: { lib: '/srv/lib' } }, ['--build-context', 'lib=/srv/lib']],
    ['privileges', { allow: ['network.host'], shmSize: '64m' }, ['--allow', 'network.host', '--shm-size', '64m']],
    ['hosts', { addHosts: ['a:1.2.3.4', 'b:::1'] }, ['--add-host', 'a:1.2.3.4', '--add-host', 'b:::1']],
  ])('adds %s', (_what, different, added) => {
    const tail = [...TAG, '--push', '/srv/project'];
    expect(buildxArguments(somePlan(different), FILES)).toEqual([...HEAD, ...PLACES, ...added, ...tail]);
  });

  it('names the builder', () => {
    const args = buildxArguments(somePlan({ builder: 'mine' }), FILES);
    expect(args.slice(HEAD.length, HEAD.length + 2)).toEqual(['--builder', 'mine']);
  });

  it('pushes every tag', () => {
    const args = buildxArguments(somePlan({ tags: ['one', 'two'] }), FILES);
    expect(args.slice(-6)).toEqual([
      '--tag',
      'localhost:5000/hello:one',
      '--tag',
      'localhost:5000/hello:two',
      '--push',
      '/srv/project',
    ]);
  });

  it('keeps an image that is not pushed in Docker', () => {
    const args = buildxArguments(somePlan({ push: false, sourceDateEpoch: 1 }), FILES);
    expect(args).toContain('--load');
    expect(args.join(' ')).not.toMatch(/--push|registry/);
  });

  it.each([
    [true, 1_700_000_000, ['--output', 'type=registry,rewrite-timestamp=true']],
    [false, 1_700_000_000, ['--push']],
    [true, undefined, ['--push']],
  ])('sets times in layers when the builder can (%s) and the commit has one (%s)', (can, epoch, output) => {
    const args = buildxArguments(somePlan({ sourceDateEpoch: epoch }), { ...FILES, rewritesTimestamps: can });
    expect(args.slice(PLACES.length + HEAD.length + TAG.length, -1)).toEqual(output);
  });
});
