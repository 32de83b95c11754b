import { chmod, mkdir, writeFile } from 'node:fs/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, inject, it } from 'vitest';
import { createImageBuilder } from '../../src/image/builder.ts';
import type { IdleLimits } from '../../src/image/idle-watch.ts';
import type { BuiltImage } from '../../src/image/model.ts';
import { somePlan } from '../../src/image/testing-plan.ts';
import { someRegistryInputs } from '../../src/inputs/testing-registry.ts';
import { openSignIn } from '../../src/registry/sign-in.ts';
import { openTestWorld, type TestWorld } from '../../src/source/testing-world.ts';
import { BUILDKIT_BUILDER } from '../rig/rig-description.ts';
import { type FaultProxy, type SeenRequest, startFaultProxy } from './fault-proxy.ts';
import { type OwnRegistry, startOwnRegistry, USER } from './own-registry.ts';

const FIRST = 'first-minted-token';
const SECOND = 'second-minted-token';
const GOOD = basic(USER.password);
const NOT_LET_IN = {
  kind: 'answer',
  status: 401,
  headers: { 'www-authenticate': 'Basic realm="test"', 'content-type': 'application/json' },
  body: '{"errors":[{"code":"UNAUTHORIZED","message":"authentication required"}]}',
} as const;

/** Real buildx with a real BuildKit, pushing to a real registry that a proxy lets fail. */
describe('pushing to a registry in trouble', () => {
  const rig = inject('rig');
  let world: TestWorld;
  let open: OwnRegistry;
  let locked: OwnRegistry;
  let context: string;
  let proxy: FaultProxy | undefined;
  let remembered: string[];
  let builds: number;
  let count = 0;

  beforeAll(async () => {
    world = await openTestWorld(rig.env);
    open = await startOwnRegistry(`${world.directory}/open`, 'none');
    locked = await startOwnRegistry(`${world.directory}/locked`, 'htpasswd');
  });
  afterAll(async () => {
    await open?.stop();
    await locked?.stop();
    await world?.close();
  });
  beforeEach(async () => {
    remembered = [];
    builds = 0;
    count += 1;
    world.logged.length = 0;
    context = await world.files.makeTemporaryDirectory('context-');
    // A layer that no push before has sent.
    await writeFile(`${context}/hello.txt`, `hello ${count} ${context}`);
  });
  afterEach(async () => {
    await proxy?.close();
    proxy = undefined;
    for (const directory of remembered) expect(await world.files.exists(directory)).toBe(false);
  });

  const startsUpload = ({ method, path }: SeenRequest) => method === 'POST' && path.includes('/blobs/uploads');
  const sendsLayer = ({ method, path }: SeenRequest) => method === 'PUT' && path.includes('/blobs/uploads');
  const sendsManifest = ({ method, path }: SeenRequest) => method === 'PUT' && path.includes('/manifests/');

  it.each([
    ['that asks to wait (429)', sendsManifest, { kind: 'answer', status: 429, headers: { 'retry-after': '1' } }],
    ['that fails once (500)', startsUpload, { kind: 'answer', status: 500 }],
    ['that is overloaded (503)', sendsManifest, { kind: 'answer', status: 503 }],
    ['whose connection breaks in mid-layer', sendsLayer, { kind: 'reset' }],
  ] as const)('gets through to one %s', async (_what, hits, fault) => {
    let times = 0;
    proxy = await startFaultProxy(open.host, (request) => {
      if (!request.byBuilder || !hits(request) || times > 0) return undefined;
      times += 1;
      return fault;
    });
    const built = await build();
    expect(times).toBe(1);
    expect(await digestIn(open, undefined)).toBe(built.digest);
  });

  it('gives up on one that stays overloaded, and says so', async () => {
    proxy = await startFaultProxy(open.host, (request) =>
      request.byBuilder && startsUpload(request) ? { kind: 'answer', status: 503 } : undefined,
    );
    await expect(build()).rejects.toThrow(/could not be pushed: .*503 Service Unavailable/);
    expect(builds).toBe(3);
    expect(warnings()).toHaveLength(2);
  });

  it('signs in anew when the credentials expire during the build', async () => {
    const helper = await startHelper(FIRST);
    proxy = await startFaultProxy(locked.host, (request) => {
      // The token dies when the builder begins to push.
      if (request.byBuilder && startsUpload(request) && helper.secret === FIRST) helper.mint(SECOND);
      if (request.authorization === basic(helper.secret)) return { kind: 'pass', authorization: GOOD };
      return NOT_LET_IN;
    });
    await helper.serve(proxy.host);
    const built = await build({ env: helper.env });
    expect(await digestIn(locked, GOOD)).toBe(built.digest);
    expect(warnings().join()).toContain('once more with new credentials');
    for (const secret of [FIRST, SECOND, basic(FIRST).slice(6), basic(SECOND).slice(6)]) {
      expect(world.logged.join('\n')).not.toContain(secret);
    }
  });

  it('ends a push that stands still, and signs in anew', async () => {
    let times = 0;
    proxy = await startFaultProxy(open.host, (request) => {
      if (!request.byBuilder || !sendsLayer(request) || times > 0) return undefined;
      times += 1;
      return { kind: 'silence' };
    });
    const built = await build({ idle: { buildMs: 120_000, pushMs: 5_000 } });
    expect(await digestIn(open, undefined)).toBe(built.digest);
    expect(warnings().join()).toContain('was ended because buildx wrote nothing');
    expect(builds).toBe(2);
  });

  it('is cancelled in mid-push at once', async () => {
    const cancelled = new AbortController();
    const reason = new Error('the job was cancelled');
    proxy = await startFaultProxy(open.host, (request) => {
      if (!request.byBuilder || !sendsLayer(request)) return undefined;
      cancelled.abort(reason);
      return { kind: 'silence' };
    });
    await expect(build({ signal: cancelled.signal })).rejects.toBe(reason);
    expect(builds).toBe(1);
  });

  function build(
    different: { env?: Record<string, string>; idle?: IdleLimits; signal?: AbortSignal } = {},
  ): Promise<BuiltImage> {
    const { env = {}, idle, signal = world.signal } = different;
    const own: TestWorld = {
      ...world,
      env: { ...world.env, ...env },
      signal,
      exec: (command, args, options) => {
        if (args[1] === 'build') builds += 1;
        return world.exec(command, args, options);
      },
    };
    const builder = createImageBuilder({
      world: own,
      signIn: openSignIn(someRegistryInputs(), { ...own, fetch }),
      remember: (directory) => remembered.push(directory),
      ...(idle === undefined ? {} : { idle }),
    });
    return builder(
      somePlan({
        repository: `${proxy?.host}/faults/hello-${count}`,
        tags: ['one'],
        context,
        dockerfile: { kind: 'generated', content: 'FROM scratch\nCOPY hello.txt /\n', dockerignore: undefined },
        builder: BUILDKIT_BUILDER,
      }),
    );
  }

  /** A credential helper of Docker's that gives out whatever secret counts now. */
  async function startHelper(first: string) {
    const folder = await world.files.makeTemporaryDirectory('helper-');
    let secret = first;
    await mkdir(`${folder}/bin`);
    const answer = () => writeFile(`${folder}/answer`, JSON.stringify({ Username: USER.username, Secret: secret }));
    await answer();
    await writeFile(`${folder}/bin/docker-credential-minting`, `#!/bin/sh\ncat >/dev/null\ncat '${folder}/answer'\n`);
    await chmod(`${folder}/bin/docker-credential-minting`, 0o755);
    return {
      get secret() {
        return secret;
      },
      mint(next: string) {
        secret = next;
        void answer();
      },
      /** Makes it the helper of a host in a Docker configuration of its own. */
      serve: (host: string) =>
        writeFile(
          `${folder}/config.json`,
          JSON.stringify({
            credHelpers: { [host]: 'minting' },
            cliPluginsExtraDirs: [`${rig.dockerConfigDir}/cli-plugins`],
          }),
        ),
      env: { DOCKER_CONFIG: folder, PATH: `${folder}/bin:${world.env.PATH}` },
    };
  }

  async function digestIn(registry: OwnRegistry, authorization: string | undefined): Promise<string | null> {
    const accept = 'application/vnd.oci.image.manifest.v1+json, application/vnd.docker.distribution.manifest.v2+json';
    const answer = await fetch(`http://${registry.host}/v2/faults/hello-${count}/manifests/one`, {
      headers: { accept, ...(authorization === undefined ? {} : { authorization }) },
    });
    return answer.headers.get('docker-content-digest');
  }

  function warnings(): string[] {
    return world.logged.filter((line) => line.startsWith('warning: '));
  }
});

function basic(password: string): string {
  return `Basic ${Buffer.from(`${USER.username}:${password}`).toString('base64')}`;
}
