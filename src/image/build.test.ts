import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Problem } from '../problem.ts';
import { openTestWorld, type TestWorld } from '../source/testing-world.ts';
import type { Exec, ExecOptions, ExecResult } from '../world.ts';
import { type BuildContext, buildImage } from './build.ts';
import { BuildLog } from './build-log.ts';
import type { ImagePlan } from './model.ts';
import { somePlan } from './testing-plan.ts';

const DIGEST = `sha256:${'a'.repeat(64)}`;
const OTHER = `sha256:${'b'.repeat(64)}`;

/** One run of buildx as a test wants it: what it writes, its exit code, its metadata file. */
interface Run {
  readonly output?: string;
  readonly exitCode?: number;
  readonly metadata?: string;
}

describe('buildImage', () => {
  let world: TestWorld;
  let calls: { args: readonly string[]; options: ExecOptions; files: Record<string, string> }[];
  beforeEach(async () => {
    world = await openTestWorld({ GITHUB_WORKSPACE: '/srv' });
    calls = [];
  });
  afterEach(() => world.close());

  it('returns the digest the registry has', async () => {
    const built = await build({}, [{ metadata: metadata(DIGEST) }], DIGEST);
    expect(built).toMatchObject({
      image: 'localhost:5000/hello:f3d46caf',
      imageRef: `localhost:5000/hello@${DIGEST}`,
      digest: DIGEST,
    });
    expect(warnings()).toEqual([]);
  });

  it('believes the registry when buildx says another digest, and tells', async () => {
    const built = await build({}, [{ metadata: metadata(OTHER) }], DIGEST);
    expect(built.digest).toBe(DIGEST);
    expect(warnings().join()).toContain(`buildx names ${OTHER} for localhost:5000/hello:f3d46caf`);
  });

  it('takes what it pushed when somebody else has moved the tag since, and tells', async () => {
    const held = (reference: string) => Promise.resolve(reference === OTHER ? OTHER : DIGEST);
    const plan = await planIn({});
    const built = await buildImage(plan, contextOf(scripted([{ metadata: metadata(OTHER) }]), held));
    expect(built.imageRef).toBe(`localhost:5000/hello@${OTHER}`);
    expect(warnings().join()).toContain(`somebody has put the tag on ${DIGEST} since`);
  });

  it.each([
    ['null'],
    ['{}'],
    ['{"containerimage.digest": "x"}'],
    ['{'],
    [undefined],
  ])('needs no metadata file: %s', async (text) => {
    const built = await build({}, [text === undefined ? {} : { metadata: text }], DIGEST);
    expect(built.digest).toBe(DIGEST);
    expect(warnings()).toEqual([]);
  });

  it('is a problem when the registry has nothing under the tag', async () => {
    await expect(build({}, [{ metadata: metadata(DIGEST) }], undefined)).rejects.toThrow(
      'has no manifest under that tag',
    );
  });

  it('has no digest without a push', async () => {
    const built = await build({ push: false }, [{ metadata: metadata(DIGEST) }], DIGEST);
    expect(built).toMatchObject({ image: 'localhost:5000/hello:f3d46caf', imageRef: undefined, digest: undefined });
  });

  it('gives the commit’s time to docker', async () => {
    await build({ sourceDateEpoch: 1_700_000_000 }, [{}], DIGEST);
    expect(calls[0]?.options.env.SOURCE_DATE_EPOCH).toBe('1700000000');
    expect(calls[0]?.args).toContain('type=registry,rewrite-timestamp=true');
  });

  it('writes a generated Dockerfile outside the context, with an ignore file beside it, and leaves nothing behind', async () => {
    const context = await project({ 'requirements.txt': 'x' });
    const dockerfile = { kind: 'generated', content: 'FROM scratch\n', dockerignore: '.git\n' } as const;
    await build({ context, dockerfile }, [{}], DIGEST);
    expect(calls[0]?.files).toEqual({ Dockerfile: 'FROM scratch\n', 'Dockerfile.dockerignore': '.git\n' });
    expect(await world.files.list(context)).toEqual(['requirements.txt']);
    expect(await leftovers()).toEqual([]);
  });

  it('gives the values of secrets to buildx’s environment and to no argument', async () => {
    await build({ secrets: ['id=token,env=S1'], secretEnv: { S1: 'hunter2' } }, [{}], DIGEST);
    expect(calls[0]?.options.env.S1).toBe('hunter2');
    expect(calls[0]?.args.join(' ')).not.toContain('hunter2');
  });

  it.each<[string, Partial<ImagePlan>]>([
    ['the build context /nonexistent does not exist', { context: '/nonexistent' }],
    [
      'the Dockerfile /nonexistent/Dockerfile does not exist',
      { dockerfile: { kind: 'file', path: '/nonexistent/Dockerfile' } },
    ],
  ])('says that %s, at the step that asked for it', async (message, different) => {
    const error = await build(different, [{}], DIGEST).catch((caught: unknown) => caught);
    expect(error).toBeInstanceOf(Problem);
    expect(error).toMatchObject({ message, where: { file: 'prefect.yaml', line: 4 } });
    expect(calls).toEqual([]);
  });

  it('has buildx’s word for a Dockerfile that is a directory', async () => {
    const path = await project({});
    const output = `ERROR: failed to build: failed to solve: failed to read dockerfile: read ${path}: is a directory\n`;
    const building = build({ dockerfile: { kind: 'file', path } }, [{ output, exitCode: 1 }], DIGEST);
    await expect(building).rejects.toThrow('the Dockerfile cannot be read');
  });

  it('streams the output in a group, and repeats its last 30 lines after a failure', async () => {
    const output = `${Array.from({ length: 50 }, (_, index) => `#${index}`).join('\n')}\nERROR: failed to build: something new\n`;
    await expect(build({}, [{ output, exitCode: 1 }], DIGEST)).rejects.toThrow('something new');
    const logged = world.logged;
    expect(logged[0]).toBe('group: Build and push localhost:5000/hello:f3d46caf');
    expect(logged.slice(1, 52)).toEqual(
      output
        .trimEnd()
        .split('\n')
        .map((line) => `info: ${line}`),
    );
    expect(logged.slice(52)).toHaveLength(30);
    expect(await leftovers()).toEqual([]);
  });

  it('tries again twice when the registry is overloaded', async () => {
    const overloaded = { output: pushError('503 Service Unavailable'), exitCode: 1 };
    const built = await build({}, [overloaded, overloaded, { metadata: metadata(DIGEST) }], DIGEST);
    expect(built.digest).toBe(DIGEST);
    expect(world.slept).toEqual([2_000, 4_000]);
    expect(warnings()).toHaveLength(2);
  });

  it('gives up after the third time, with the cause', async () => {
    const reset = { output: pushError('connection reset by peer'), exitCode: 1 };
    const error = await build({}, [reset, reset, reset, {}], DIGEST).catch((caught: unknown) => caught);
    expect(error).toBeInstanceOf(Problem);
    expect(String(error)).toContain('connection reset by peer');
    expect(calls).toHaveLength(3);
  });

  it('tries only once when the registry refused', async () => {
    const denied = { output: pushError('401 Unauthorized'), exitCode: 1 };
    await expect(build({}, [denied, {}], DIGEST)).rejects.toThrow('does not let');
    expect(calls).toHaveLength(1);
  });

  it('ends a build that says nothing any more', async () => {
    const silent: Exec = (_command, _args, options) =>
      new Promise((_resolve, reject) => {
        options.signal.addEventListener('abort', () => reject(options.signal.reason), { once: true });
      });
    const plan = somePlan({
      context: await project({ Dockerfile: '' }),
      dockerfile: { kind: 'generated', content: '', dockerignore: undefined },
    });
    const waiting = buildImage(plan, { ...contextOf(silent, underTag(DIGEST)), idle: { buildMs: 20, pushMs: 20 } });
    await expect(waiting).rejects.toThrow('buildx wrote nothing');
    expect(await leftovers()).toEqual([]);
  });

  async function build(different: Partial<ImagePlan>, runs: readonly Run[], held: string | undefined) {
    return buildImage(await planIn(different), contextOf(scripted(runs), underTag(held)));
  }

  async function planIn(different: Partial<ImagePlan>): Promise<ImagePlan> {
    const context = await project({ Dockerfile: 'FROM scratch\n' });
    return somePlan({ context, dockerfile: { kind: 'file', path: `${context}/Dockerfile` }, ...different });
  }

  /** A registry that has something under every tag, and knows no other digest. */
  function underTag(held: string | undefined): (reference: string) => Promise<string | undefined> {
    return (reference) => Promise.resolve(reference.startsWith('sha256:') && reference !== held ? undefined : held);
  }

  function contextOf(exec: Exec, readManifestDigest: (reference: string) => Promise<string | undefined>): BuildContext {
    const access = { readManifestDigest };
    const builder = { name: 'default', driver: 'remote', rewritesTimestamps: true, platform: 'linux/amd64' };
    return { world: { ...world, exec }, env: world.env, builder, access, log: new BuildLog(world) };
  }

  function scripted(runs: readonly Run[]): Exec {
    return async (_command, args, options): Promise<ExecResult> => {
      const run = runs[calls.length] ?? {};
      const dockerfile = args[args.indexOf('--file') + 1] ?? '';
      const beside = dockerfile.slice(0, dockerfile.lastIndexOf('/'));
      const names = (await world.files.list(beside)).filter((name) => name.startsWith('Dockerfile'));
      const texts = await Promise.all(
        names.map(async (name) => [name, await world.files.readText(`${beside}/${name}`)]),
      );
      calls.push({ args, options, files: Object.fromEntries(texts) });
      if (run.metadata !== undefined) {
        await world.files.writeNew(args[args.indexOf('--metadata-file') + 1] ?? '', run.metadata);
      }
      options.onOutput?.(run.output ?? '', 'stderr');
      return { exitCode: run.exitCode ?? 0, stdout: '', stderr: run.output ?? '' };
    };
  }

  async function project(files: Record<string, string>): Promise<string> {
    const directory = await world.files.makeTemporaryDirectory('project-');
    for (const [name, text] of Object.entries(files)) await world.files.writeNew(`${directory}/${name}`, text);
    return directory;
  }

  async function leftovers(): Promise<string[]> {
    return (await world.files.list(world.directory)).filter((name) => name.startsWith('slipway-'));
  }

  function warnings(): string[] {
    return world.logged.filter((line) => line.startsWith('warning: '));
  }

  function metadata(digest: string): string {
    return JSON.stringify({ 'containerimage.digest': digest });
  }

  function pushError(text: string): string {
    return `------\n > exporting to image:\n------\nERROR: failed to build: failed to solve: failed to push x: ${text}\n`;
  }
});
