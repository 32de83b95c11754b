import { chmod, mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, inject, it } from 'vitest';
import * as z from 'zod';
import { makeGitProject } from '../journey/git-project.ts';
import { runStep, type StepResult } from '../journey/runner.ts';
import { type FaultProxy, type SeenRequest, startFaultProxy } from './fault-proxy.ts';
import { type OwnRegistry, startOwnRegistry, USER } from './own-registry.ts';

const ALICE = { username: 'alice', password: 'Al1ce:regi$try-pa55' };
const BOB = { username: 'bob', password: 'b0b-of-the-block' };
const SECRETS = {
  'the registry password': ALICE.password,
  'its Authorization': base64(ALICE),
  'a block’s password': BOB.password,
  'the block’s Authorization': base64(BOB),
  'the API key': 'pnu_keyOfThePrefectServer1',
  'the API key in base64': Buffer.from('pnu_keyOfThePrefectServer1').toString('base64'),
  'a build secret': 'tok3n-of-the-build',
};
const GOOD = `Basic ${base64(USER)}`;

/** The bundled action's sources in a runner, with a real registry whose two users each own one part of it. */
describe('secrets', () => {
  const rig = inject('rig');
  let registry: OwnRegistry;
  let proxy: FaultProxy;
  let folder: string;
  let home: string;
  let userConfig: string;
  let onPush: (request: SeenRequest) => { kind: 'silence' } | undefined;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'slipway-secrets-'));
    registry = await startOwnRegistry(`${folder}/registry`, 'htpasswd');
    proxy = await startFaultProxy(registry.host, (request) => {
      const { path, authorization = '' } = request;
      const isAlice = authorization === `Basic ${base64(ALICE)}`;
      if (!isAlice && authorization !== `Basic ${base64(BOB)}`) {
        return { kind: 'answer', status: 401, headers: { 'www-authenticate': 'Basic realm="test"' } };
      }
      if (path !== '/v2/' && !path.startsWith(isAlice ? '/v2/alice/' : '/v2/bob/')) {
        const body = '{"errors":[{"code":"DENIED","message":"requested access to the resource is denied"}]}';
        return { kind: 'answer', status: 403, headers: { 'content-type': 'application/json' }, body };
      }
      return onPush(request) ?? { kind: 'pass', authorization: GOOD };
    });
    await makeSecretBlock('registry-of-bob', BOB.password);
  });
  afterAll(async () => {
    await proxy?.close();
    await registry?.stop();
    await rm(folder, { recursive: true, force: true });
  });
  beforeEach(async () => {
    onPush = () => undefined;
    home = await mkdtemp(join(folder, 'home-'));
    await mkdir(`${home}/.docker/cli-plugins`, { recursive: true });
    await symlink(`${rig.dockerConfigDir}/cli-plugins/docker-buildx`, `${home}/.docker/cli-plugins/docker-buildx`);
    userConfig = JSON.stringify({ auths: { 'other.example': { auth: base64({ username: 'u', password: 'p' }) } } });
    await writeFile(`${home}/.docker/config.json`, userConfig);
    await mkdir(`${home}/bin`);
    // Says what docker was started with, then is docker.
    await writeFile(
      `${home}/bin/docker`,
      `#!/bin/sh\n{ echo "ARGV $*"; env | sed 's/^/ENV /'; } >> '${home}/docker-calls'\nPATH=\${PATH#*:} exec docker "$@"\n`,
    );
    await chmod(`${home}/bin/docker`, 0o755);
  });
  afterEach(async () => {
    expect(await readFile(`${home}/.docker/config.json`, 'utf8')).toBe(userConfig);
  });

  it.each<[string, string, number]>([
    ['that succeeds', 'FROM scratch\nCOPY flows /flows\n', 0],
    ['whose build fails', 'FROM scratch\nCOPY nosuch /flows\n', 1],
  ])('are in nothing that a run writes %s, nor in what docker is started with', async (_what, dockerfile, exitCode) => {
    const result = await ship(dockerfile);
    expect(result.exitCode, result.log).toBe(exitCode);
    expect(result.leftovers).toEqual([]);
    const calls = await readFile(`${home}/docker-calls`, 'utf8');
    const environment = lines(calls, 'ENV ').filter((line) => !line.startsWith('ENV BUILD_TOKEN='));
    expect(
      leaksIn({
        log: result.log
          .split('\n')
          .filter((line) => !line.startsWith('::add-mask::'))
          .join('\n'),
        summary: result.summary,
        outputs: JSON.stringify(result.outputs),
        state: JSON.stringify(result.state),
        'docker’s arguments': lines(calls, 'ARGV ').join('\n'),
        'docker’s environment': environment.join('\n'),
        ...(await filesIn(home)),
      }),
    ).toEqual([]);
    // Or the look above would prove nothing.
    expect(calls).toContain('buildx build');
    expect(leaksIn({ 'the masked': result.log })).toEqual(
      expect.arrayContaining(['the registry password in the masked', 'its Authorization in the masked']),
    );
  });

  it('are in nothing that a run writes when the registry refuses them', async () => {
    const result = await ship('FROM scratch\nCOPY flows /flows\n', { repository: 'bob/alices' });
    expect(result.exitCode, result.log).toBe(1);
    expect(result.log).toContain('denied');
    expect(
      leaksIn({
        log: result.log
          .split('\n')
          .filter((line) => !line.startsWith('::add-mask::'))
          .join('\n'),
      }),
    ).toEqual([]);
    expect(result.leftovers).toEqual([]);
  });

  it.each(['cancel', 'kill'] as const)('are gone after a %s in mid-push', async (how) => {
    const ending = new AbortController();
    onPush = ({ method, byBuilder, path }) => {
      if (!byBuilder || method !== 'PUT' || !path.includes('/blobs/')) return undefined;
      ending.abort();
      return { kind: 'silence' };
    };
    const result = await ship(`FROM scratch\nCOPY flows /${how}\n`, { [how]: ending.signal });
    expect(ending.signal.aborted).toBe(true);
    expect(result.exitCode).not.toBe(0);
    expect(result.state.slipway).toContain('slipway-docker-');
    expect(result.leftovers.filter((name) => name.startsWith('slipway-docker-'))).toEqual([]);
  });

  it('of two jobs at once on one machine do not get in each other’s way', async () => {
    const [alices, bobs] = await Promise.all([
      ship('FROM scratch\nCOPY flows /alice\n', { repository: 'alice/at-once', block: false }),
      ship('FROM scratch\nCOPY flows /bob\n', { repository: 'bob/at-once', block: false, credentials: BOB }),
    ]);
    for (const result of [alices, bobs]) {
      expect(result.exitCode, result.log).toBe(0);
      expect(result.leftovers).toEqual([]);
    }
    expect(alices.outputs['image-ref']).toMatch(/\/alice\/at-once@sha256:/);
    expect(bobs.outputs['image-ref']).toMatch(/\/bob\/at-once@sha256:/);
  });

  async function ship(
    dockerfile: string,
    different: {
      repository?: string;
      /** Push a second image with a block's credentials. */
      block?: boolean;
      credentials?: typeof ALICE;
      cancel?: AbortSignal;
      kill?: AbortSignal;
    } = {},
  ): Promise<StepResult> {
    const { repository = 'alice/hello', block = true, credentials = ALICE, ...ending } = different;
    const own = await makeGitProject('hello');
    try {
      const text = prefectYaml(proxy.host, repository, block);
      const commit = await own.commit('Ship', { 'prefect.yaml': text, Dockerfile: dockerfile });
      const { DOCKER_CONFIG: _config, BUILDX_CONFIG: _builders, ...env } = rig.env;
      return await runStep({
        code: { main: 'src/main.ts', post: 'src/post.ts' },
        workspace: own.directory,
        sha: commit.sha,
        inputs: {
          'prefect-api-url': rig.prefectApiUrl,
          'prefect-api-key': SECRETS['the API key'],
          'registry-username': credentials.username,
          'registry-password': credentials.password,
        },
        env: {
          ...env,
          HOME: home,
          PATH: `${home}/bin:${process.env.PATH}`,
          BUILD_TOKEN: SECRETS['a build secret'],
          RUNNER_DEBUG: '1',
        },
        ...ending,
      });
    } finally {
      await own.remove();
    }
  }

  async function makeSecretBlock(name: string, value: string): Promise<void> {
    const type = Id.parse(await ask('GET', '/block_types/slug/secret'));
    const filter = { block_schemas: { block_type_id: { any_: [type.id] } } };
    const [schema] = z.array(Id).parse(await ask('POST', '/block_schemas/filter', filter));
    const document = { name, data: { value }, block_type_id: type.id, block_schema_id: schema?.id };
    await ask('POST', '/block_documents/', document);
  }

  async function ask(method: string, path: string, body?: object): Promise<unknown> {
    const answer = await fetch(`${rig.prefectApiUrl}${path}`, {
      method,
      headers: { 'content-type': 'application/json' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${await answer.text()}`);
    return await answer.json();
  }
});

const Id = z.object({ id: z.string() });

function prefectYaml(host: string, repository: string, block: boolean): string {
  const image = (id: string, name: string) => `- prefect_docker.deployments.steps.build_docker_image:
    id: ${id}
    image_name: ${host}/${name}
    tag: "{{ slipway.short_sha }}"
    dockerfile: Dockerfile
    secrets: ["id=token,env=BUILD_TOKEN"]
`;
  const push = (id: string) => `- prefect_docker.deployments.steps.push_docker_image:
    image_name: "{{ ${id}.image_name }}"
    tag: "{{ ${id}.tag }}"
`;
  return `work_pools: [{name: secrets, type: kubernetes}]
build:
${image('mine', repository)}${block ? image('bobs', 'bob/hello') : ''}push:
${push('mine')}${
  block
    ? `${push('bobs')}    credentials: {username: bob, password: "{{ prefect.blocks.secret.registry-of-bob }}", registry_url: ${host}}\n`
    : ''
}pull: [{prefect.deployments.steps.set_working_directory: {directory: /flows}}]
deployments: [{name: ${repository.replace('/', '-')}, entrypoint: flows/hello.py:hello, work_pool: {name: secrets, job_variables: {image: "{{ mine.image }}"}}}]
`;
}

function base64({ username, password }: { readonly username: string; readonly password: string }): string {
  return Buffer.from(`${username}:${password}`).toString('base64');
}

/** Which secret stands in which of the texts. */
function leaksIn(texts: Readonly<Record<string, string>>): string[] {
  return Object.entries(texts).flatMap(([where, text]) =>
    Object.entries(SECRETS).flatMap(([what, secret]) => (text.includes(secret) ? [`${what} in ${where}`] : [])),
  );
}

function lines(text: string, prefix: string): string[] {
  return text.split('\n').filter((line) => line.startsWith(prefix));
}

/** Everything in a folder but what docker was seen to be started with, by path. */
async function filesIn(directory: string): Promise<Record<string, string>> {
  const entries = await readdir(directory, { withFileTypes: true, recursive: true });
  const files = entries.filter((entry) => entry.isFile() && entry.name !== 'docker-calls');
  const texts = files.map(async ({ parentPath, name }): Promise<[string, string]> => {
    return [join(parentPath, name), await readFile(join(parentPath, name), 'latin1')];
  });
  return Object.fromEntries(await Promise.all(texts));
}
