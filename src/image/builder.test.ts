import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { someRegistryInputs } from '../inputs/testing-registry.ts';
import { openSignIn, type SignIn } from '../registry/sign-in.ts';
import { openTestWorld, type TestWorld } from '../source/testing-world.ts';
import type { Exec, ExecOptions } from '../world.ts';
import { createImageBuilder, type ImageBuilder } from './builder.ts';
import type { ImagePlan } from './model.ts';
import { somePlan } from './testing-plan.ts';

const DIGEST = `sha256:${'a'.repeat(64)}`;
const CREDENTIALS = { username: 'bob', password: 'pw:with:colon$' };
const AUTHORIZATION = `Basic ${Buffer.from('bob:pw:with:colon$').toString('base64')}`;

/** docker is scripted here; the real one builds in test/e2e/image.test.ts. The registry answers HTTP as one with htpasswd does. */
describe('createImageBuilder', () => {
  let world: TestWorld;
  let registry: Server;
  let host: string;
  let builds: { args: readonly string[]; options: ExecOptions; config: string }[];
  let remembered: string[];
  let inspections: number;

  beforeEach(async () => {
    world = await openTestWorld();
    builds = [];
    remembered = [];
    inspections = 0;
    registry = createServer((request, response) => {
      if (request.headers.authorization !== AUTHORIZATION) {
        response.writeHead(401, { 'www-authenticate': 'Basic realm="r"' }).end();
      } else {
        response.writeHead(200, { 'docker-content-digest': DIGEST }).end();
      }
    });
    await new Promise<void>((resolve) => registry.listen(0, '127.0.0.1', resolve));
    host = `127.0.0.1:${(registry.address() as AddressInfo).port}`;
  });
  afterEach(async () => {
    await new Promise((resolve) => registry.close(resolve));
    await world.close();
  });

  it('builds equal plans once, also at the same time', async () => {
    const build = builder();
    const one = plan({ where: { file: 'prefect.yaml', line: 1, column: 1 } });
    const two = plan({ where: { file: 'prefect.yaml', line: 9, column: 1 } });
    const [a, b] = await Promise.all([build(one), build(two)]);
    expect(await build(one)).toBe(a);
    expect(b).toBe(a);
    expect(builds).toHaveLength(1);
  });

  it('builds a plan that must be fresh each time it is asked for', async () => {
    const build = builder();
    const fresh = plan({ freshBecause: 'ignore_cache is set' });
    await build(fresh);
    await build(fresh);
    expect(builds).toHaveLength(2);
  });

  it('builds different plans at the same time, asking docker for its builder once', async () => {
    const build = builder();
    await Promise.all([build(plan({ tags: ['one'] })), build(plan({ tags: ['two'] }))]);
    expect(builds).toHaveLength(2);
    expect(inspections).toBe(1);
  });

  it('builds no more than three at the same time', async () => {
    let [running, most] = [0, 0];
    const three = Promise.withResolvers<void>();
    const build = builder({
      async onBuild() {
        running += 1;
        most = Math.max(most, running);
        if (running === 3) three.resolve();
        await three.promise;
        await wait(5);
        running -= 1;
      },
    });
    await Promise.all(['a', 'b', 'c', 'd', 'e'].map((tag) => build(plan({ tags: [tag] }))));
    expect(most).toBe(3);
  });

  it('ends the other builds when one fails', async () => {
    const begun = Promise.withResolvers<void>();
    const build = builder({
      async onBuild({ args, options }) {
        if (args.includes(`${host}/hello:bad`)) {
          await begun.promise;
          throw new Error('it failed');
        }
        const ended = once(options.signal, 'abort');
        begun.resolve();
        await ended;
      },
    });
    const ends = await Promise.allSettled(['good', 'bad'].map((tag) => build(plan({ tags: [tag] }))));
    expect(ends.map((end) => end.status === 'rejected' && String(end.reason))).toEqual([
      'Stopped: ended, as another image could not be built',
      'Error: it failed',
    ]);
    expect(await left(remembered)).toEqual([]);
  });

  describe('when the push is refused though the sign-in was good before the build', () => {
    const LOST = pushError('unauthorized: authentication required');

    it('signs in anew and builds once more', async () => {
      const minted = [CREDENTIALS, { username: 'bob', password: 'minted-anew' }];
      const outputs = [LOST, ''];
      const build = builder({ signIn: signInWith(minted), output: () => outputs.shift() ?? '' });
      expect((await build(plan())).digest).toBe(DIGEST);
      expect(builds.map(({ config }) => JSON.parse(config).auths[host].auth)).toEqual(
        minted.map(({ username, password }) => Buffer.from(`${username}:${password}`).toString('base64')),
      );
      expect(world.logged.join('\n')).toContain('once more with new credentials');
      expect(await left(remembered)).toEqual([]);
    });

    it('gives up when there are no others', async () => {
      const build = builder({ output: () => LOST });
      await expect(build(plan())).rejects.toThrow(`registry ${host} does not let ${host}/hello:f3d46caf be pushed`);
      expect(builds).toHaveLength(1);
    });

    it('gives up when the new ones are refused too', async () => {
      const minted = ['a', 'b', 'c'].map((password) => ({ username: 'bob', password }));
      const build = builder({ signIn: signInWith(minted), output: () => LOST });
      await expect(build(plan())).rejects.toThrow('unauthorized: authentication required');
      expect(builds).toHaveLength(2);
    });
  });

  it('gives docker a configuration of its own that is gone afterwards', async () => {
    await builder()(plan());
    const directory = builds[0]?.options.env.DOCKER_CONFIG ?? '';
    expect(remembered).toEqual([directory]);
    expect(JSON.parse(builds[0]?.config ?? '')).toMatchObject({ auths: { [host]: { auth: AUTHORIZATION.slice(6) } } });
    expect(await world.files.exists(directory)).toBe(false);
  });

  it('removes it after a failed build too', async () => {
    const build = builder({ exitCode: 1 });
    await expect(build(plan())).rejects.toThrow('buildx ended without a word');
    expect(await world.files.exists(remembered[0] ?? '')).toBe(false);
  });

  it('removes it when the job is cancelled in mid-build too', async () => {
    const cancelled = new AbortController();
    const reason = new Error('the job was cancelled');
    const build = builder({ signal: cancelled.signal, onBuild: () => cancelled.abort(reason) });
    await expect(build(plan())).rejects.toBe(reason);
    expect(remembered).toHaveLength(1);
    expect(await world.files.exists(remembered[0] ?? '')).toBe(false);
  });

  it('says before the build that the password is wrong', async () => {
    const build = builder({ credentials: { username: 'bob', password: 'wrong-password' } });
    await expect(build(plan())).rejects.toThrow(
      `registry ${host} refused the credentials from the inputs registry-username and registry-password`,
    );
    expect(builds).toEqual([]);
  });

  it('says before the build that there are no credentials', async () => {
    await expect(builder({ credentials: undefined })(plan())).rejects.toThrow(`registry ${host} wants a sign-in`);
    expect(builds).toEqual([]);
  });

  it('prefers a push step’s credentials to the inputs', async () => {
    const build = builder({ credentials: { username: 'bob', password: 'wrong-password' } });
    expect((await build(plan(), CREDENTIALS)).digest).toBe(DIGEST);
  });

  it('uses the inputs when a push step’s credentials are for another registry', async () => {
    const other = { username: 'eve', password: 'for-ghcr-only', registry: 'ghcr.io' };
    expect((await builder()(plan(), other)).digest).toBe(DIGEST);
    expect(builds[0]?.config).not.toContain(Buffer.from('eve:').toString('base64').slice(0, 5));
  });

  it('never puts a secret into the arguments or the log, and masks it', async () => {
    await builder()(plan());
    expect(JSON.stringify([builds[0]?.args, world.logged])).not.toMatch(/colon|Ym9i/);
    expect(world.masked).toEqual(expect.arrayContaining([CREDENTIALS.password, AUTHORIZATION.slice(6)]));
  });

  it('asks no registry when nothing is pushed', async () => {
    const built = await builder()(plan({ push: false, repository: 'nosuch.example/hello' }));
    expect(built.imageRef).toBeUndefined();
    expect(remembered).toEqual([]);
  });

  it('refuses a repository that is none', async () => {
    await expect(builder()(plan({ repository: 'ghcr.io/Acme/hello' }))).rejects.toThrow('is no image repository');
  });

  function builder(
    different: {
      exitCode?: number;
      credentials?: typeof CREDENTIALS | undefined;
      signal?: AbortSignal;
      signIn?: SignIn;
      onBuild?: (build: { args: readonly string[]; options: ExecOptions }) => void | Promise<void>;
      /** What docker writes; a build that writes something fails. */
      output?: () => string;
    } = {},
  ): ImageBuilder {
    const exec: Exec = async (_command, args, options) => {
      if (args[1] === 'inspect') {
        inspections += 1;
        return { exitCode: 0, stdout: 'Name: default\nDriver: docker\n', stderr: '' };
      }
      const configFile = `${options.env.DOCKER_CONFIG}/config.json`;
      const config = options.env.DOCKER_CONFIG === undefined ? '' : await world.files.readText(configFile);
      builds.push({ args, options, config });
      await different.onBuild?.({ args, options });
      options.signal.throwIfAborted();
      const stderr = different.output?.() ?? '';
      options.onOutput?.(stderr, 'stderr');
      return { exitCode: different.exitCode ?? (stderr === '' ? 0 : 1), stdout: '', stderr };
    };
    const own = { ...world, exec, signal: different.signal ?? world.signal };
    const credentials = 'credentials' in different ? different.credentials : CREDENTIALS;
    return createImageBuilder({
      world: own,
      signIn: different.signIn ?? openSignIn(someRegistryInputs({ credentials }), { ...own, fetch }),
      remember: (directory) => remembered.push(directory),
    });
  }

  /** Each sign-in gives the next credentials, all of them good by the registry's own word. */
  function signInWith(minted: readonly { username: string; password: string }[]): SignIn {
    const rest = [...minted];
    return async () => ({
      credentials: { kind: 'basic', ...(rest.shift() ?? CREDENTIALS), source: 'the test' },
      access: {
        readManifestDigest: async () => DIGEST,
        readImage: async () => undefined,
        tagManifest: async () => undefined,
      },
    });
  }

  async function left(directories: readonly string[]): Promise<string[]> {
    const there = await Promise.all(directories.map((directory) => world.files.exists(directory)));
    return directories.filter((_directory, index) => there[index]);
  }

  function pushError(text: string): string {
    return `------\n > exporting to image:\n------\nERROR: failed to build: failed to solve: failed to push x: ${text}\n`;
  }

  function plan(different: Partial<ImagePlan> = {}): ImagePlan {
    return somePlan({
      repository: `${host}/hello`,
      context: world.directory,
      dockerfile: { kind: 'generated', content: 'FROM scratch\n', dockerignore: undefined },
      ...different,
    });
  }
});
