import { describe, expect, it } from 'vitest';
import type { ClusterAccess } from './access.ts';
import { Clusters } from './clusters.ts';
import type { KubernetesConnection } from './connection.ts';

const kubeconfig = (server: string, more: object = {}) =>
  JSON.stringify({
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: 'c', cluster: { server, ...more } }],
    users: [{ name: 'u', user: { token: 'hunter2' } }],
    contexts: [{ name: 'there', context: { cluster: 'c', user: 'u', namespace: 'flows' } }],
  });
const cluster = (server: string) => ({ kubeconfig: kubeconfig(server), contextName: 'there' });

/** Clusters whose connections are noted: which were opened, and which of them closed. */
function noted() {
  const opened: string[] = [];
  const closed: string[] = [];
  const connection = (server: string): KubernetesConnection => ({
    server,
    namespace: 'default',
    requests: 0,
    answeredAt: undefined,
    call: async () => '',
    open: async () => {
      throw new Error('no watch here');
    },
    async close() {
      closed.push(server);
    },
  });
  const clusters = new Clusters(connection('own'), (access: ClusterAccess) => {
    opened.push(access.server);
    return connection(access.server);
  });
  return {
    clusters,
    opened,
    closed,
    serverOf: (of?: ReturnType<typeof cluster>) => clusters.use(of, async (one) => one.server),
  };
}

describe('the way to a cluster', () => {
  it('is the worker’s own when none is named', async () => {
    const { serverOf, opened } = noted();
    expect(await serverOf(undefined)).toBe('own');
    expect(opened).toEqual([]);
  });

  it('is opened once for as long as the kubeconfig stays the same', async () => {
    const { serverOf, opened } = noted();
    await Promise.all([1, 2, 3].map(() => serverOf(cluster('https://a'))));
    await serverOf(cluster('https://b'));
    expect(opened).toEqual(['https://a', 'https://b']);
  });

  it('is closed when sixteen others were used since, and never while it is in use', async () => {
    const { clusters, serverOf, closed } = noted();
    await clusters.use(cluster('https://busy'), async () => {
      await serverOf(cluster('https://first'));
      for (let each = 0; each < 16; each += 1) await serverOf(cluster(`https://${each}`));
      expect(closed).toEqual(['https://first', 'https://0']);
    });
    await clusters.close();
    expect(new Set(closed).size).toBe(closed.length);
    expect(closed).toHaveLength(19);
  });

  it('takes YAML, as blocks of a kubeconfig file hold it', async () => {
    const yaml = `clusters:\n- {name: c, cluster: {server: https://y}}\nusers:\n- {name: u, user: {}}\ncontexts:\n- {name: there, context: {cluster: c, user: u}}\n`;
    const { clusters } = noted();
    const server = await clusters.use({ kubeconfig: yaml, contextName: 'there' }, async (one) => one.server);
    expect(server).toBe('https://y');
  });

  it.each([
    ['is no kubeconfig', { kubeconfig: '{hunter2', contextName: 'there' }, 'cannot be read'],
    [
      'lacks the context',
      { ...cluster('https://a'), contextName: 'x' },
      'has no such context with a cluster and a user. It has: there.',
    ],
    [
      'goes through a proxy',
      { kubeconfig: kubeconfig('https://a', { 'proxy-url': 'http://p' }), contextName: 'there' },
      'through proxy-url',
    ],
  ])('that %s is refused, and nothing of it quoted', async (_about, named, message) => {
    const { clusters } = noted();
    const attempt = clusters.use(named, async () => undefined);
    await expect(attempt).rejects.toMatchObject({
      name: 'ClusterConfigError',
      message: expect.stringContaining(message),
    });
    await expect(attempt).rejects.not.toThrow('hunter2');
  });

  it('that was refused is read anew the next time', async () => {
    const { clusters, serverOf } = noted();
    const wrong = { ...cluster('https://a'), contextName: 'x' };
    for (let each = 0; each < 20; each += 1) await expect(clusters.use(wrong, async () => undefined)).rejects.toThrow();
    expect(await serverOf(cluster('https://a'))).toBe('https://a');
    await clusters.close();
  });
});
