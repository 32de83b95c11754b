import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { isGoEnough, versionIn } from './builds/go-binaries.ts';
import { pinnedVersion } from './builds/prefect-environment.ts';
import { whatNodeWaitsFor } from './cluster-ready.ts';
import { withLock } from './lock.ts';
import { duration } from './progress.ts';
import { groupsToStart } from './rig.ts';
import { asRig, givenCluster } from './rig-description.ts';
import { RigError } from './rig-error.ts';

const folder = mkdtempSync(join(tmpdir(), 'slipway-rig-test-'));
afterAll(() => rmSync(folder, { recursive: true }));

describe('which parts are started', () => {
  it.each([
    ['Prefect needs no registry', ['prefect'], false, ['prefect']],
    [
      'PostgreSQL is started only when asked for, and needs none',
      ['postgresql', 'prefect'],
      false,
      ['prefect', 'postgresql'],
    ],
    ['images come from the registry', ['docker'], false, ['registry', 'docker']],
    ['BuildKit pulls base images from the registry', ['buildkit'], false, ['registry', 'buildkit']],
    ['pods pull from the registry', ['kubernetes'], false, ['registry', 'kubernetes']],
    ['a given cluster is not started, its images are served', ['kubernetes'], true, ['registry']],
    [
      'all in a fixed order',
      ['kubernetes', 'buildkit', 'docker', 'registry', 'prefect'],
      false,
      ['prefect', 'registry', 'docker', 'buildkit', 'kubernetes'],
    ],
  ] as const)('%s', (_case, parts, clusterGiven, expected) => {
    expect(groupsToStart(parts, clusterGiven)).toEqual(expected);
  });
});

describe('what a rig says of itself', () => {
  const rig = asRig(
    {
      id: 'ab12cd',
      dir: '/d',
      logsDir: '/d/logs',
      parts: [],
      images: [],
      addresses: { prefectUiUrl: 'http://127.0.0.1:1', kubeconfigPath: '/k', kubernetesApiUrl: 'https://127.0.0.1:2' },
    },
    async () => undefined,
  );

  it('has the environment of the parts that run', () => {
    expect(rig.env).toEqual({ PREFECT_API_URL: 'http://127.0.0.1:1/api', KUBECONFIG: '/k' });
    expect(rig.kubernetesPort).toBe(2);
  });

  it('names the part that was not started', () => {
    expect(() => rig.dockerHost).toThrow(/without docker[\s\S]*add 'docker'/);
  });
});

describe('a cluster given on purpose', () => {
  const file = (name: string, text: string): string => {
    writeFileSync(join(folder, name), text);
    return join(folder, name);
  };
  const good = `
current-context: two
contexts: [{name: one, context: {cluster: a}}, {name: two, context: {cluster: b}}]
clusters: [{name: a, cluster: {server: 'https://a'}}, {name: b, cluster: {server: 'https://b:6443'}}]
`;

  it('is the one of the current context', () => {
    const path = file('good', good);
    expect(givenCluster(path)).toEqual({ kubeconfigPath: path, kubernetesApiUrl: 'https://b:6443' });
  });

  it.each([
    ['there is no file', () => join(folder, 'missing')],
    ['it is no YAML mapping', () => file('text', 'hello')],
    ['its context names no cluster', () => file('dangling', good.replace('cluster: b}', 'cluster: c}'))],
  ])('is refused when %s', (_case, path) => {
    expect(() => givenCluster(path())).toThrow(/is of no use[\s\S]*What to do: set SLIPWAY_RIG_KUBECONFIG/);
  });
});

describe('versions', () => {
  it.each([
    ['go version go1.26.8 linux/amd64', 'go 1.26.8', true],
    ['go version go1.27 linux/amd64', 'go 1.26.8', true],
    ['go version go1.26.0 linux/amd64', 'go 1.26.8', false],
    ['go version go1.9.9 linux/amd64', 'go 1.26.0', false],
    ['devel', 'go 1.26.0', false],
  ])('%s is enough for %s: %s', (have, want, expected) => {
    expect(isGoEnough(have, `module m\n\n${want}\n`)).toBe(expected);
  });

  it('are read from the files that pin them', () => {
    expect(
      versionIn('require (\n\tk8s.io/api v0.1.0\n\tk8s.io/kubernetes v1.36.3 // indirect\n)', 'k8s.io/kubernetes'),
    ).toBe('v1.36.3');
    expect(pinnedVersion('# prefect\nprefect-docker==1\nprefect==3.8.8\n', 'prefect')).toBe('3.8.8');
    expect(() => pinnedVersion('prefect>=3', 'prefect')).toThrow('do not pin prefect');
  });
});

describe('when the node can run a pod', () => {
  const condition = (status: string) => ({ conditions: [{ type: 'Ready', status, message: 'no CNI' }] });
  it.each([
    ['it is not there', undefined, 'the node is not registered'],
    ['it is not Ready', { spec: {}, status: condition('False') }, 'the node is not Ready: no CNI'],
    [
      'it still has a taint',
      { spec: { taints: [{ key: 'node.kubernetes.io/not-ready' }] }, status: condition('True') },
      'the node has the taint node.kubernetes.io/not-ready',
    ],
    ['it is Ready and free', { spec: {}, status: condition('True') }, undefined],
  ])('%s', (_case, node, expected) => {
    expect(whatNodeWaitsFor(node)).toBe(expected);
  });
});

describe('words for people', () => {
  it.each([
    [120, '0.1s'],
    [9_940, '9.9s'],
    [29_400, '29s'],
    [130_000, '2m10s'],
    [3_601_000, '60m01s'],
  ])('%d ms are %s', (ms, expected) => {
    expect(duration(ms)).toBe(expected);
  });

  it('an error shows the last 20 lines of the log and what to do', () => {
    const log = join(folder, 'etcd.log');
    writeFileSync(log, Array.from({ length: 30 }, (_, line) => `line ${line + 1}`).join('\n'));
    const { message } = new RigError('etcd ended with exit code 1', 'see its log', log);
    expect(message).toContain('etcd ended with exit code 1\n  line 11\n');
    expect(message).toContain(`  line 30\nLog: ${log}\nWhat to do: see its log`);
  });
});

describe('a lock', () => {
  it('lets one in after the other', async () => {
    const signal = new AbortController().signal;
    const order: string[] = [];
    const enter = (name: string) =>
      withLock(
        'rig.test',
        () => undefined,
        signal,
        async () => {
          order.push(`${name} in`);
          await new Promise((resolve) => setTimeout(resolve, 20));
          order.push(`${name} out`);
        },
      );
    await Promise.all([enter('a'), enter('b')]);
    expect(order.map((entry) => entry.split(' ')[1])).toEqual(['in', 'out', 'in', 'out']);
  });

  it('is given back when the work fails, and waiting for it can be aborted', async () => {
    const signal = new AbortController().signal;
    const failing = withLock(
      'rig.test.2',
      () => undefined,
      signal,
      () => Promise.reject(new Error('broken')),
    );
    await expect(failing).rejects.toThrow('broken');
    await withLock(
      'rig.test.2',
      () => undefined,
      signal,
      async () => {
        const waiting = withLock(
          'rig.test.2',
          () => undefined,
          AbortSignal.timeout(50),
          async () => undefined,
        );
        await expect(waiting).rejects.toThrow();
      },
    );
  });
});
