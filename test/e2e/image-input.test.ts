import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { type PrefectApi, readDeploymentByName } from '@slipway/prefect/client';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import * as z from 'zod';
import { type GitProject, makeGitProject } from '../journey/git-project.ts';
import { pullRequestEvent, runStep, type StepRequest } from '../journey/runner.ts';
import { openRigPrefect, soon } from './prefect.ts';

const Manifest = z.object({ config: z.object({ digest: z.string() }) });
const Config = z.object({
  config: z.object({ Labels: z.record(z.string(), z.string()), WorkingDir: z.string() }),
});

const PREFECT_YAML = `work_pools:
- {name: image-input, type: kubernetes}
definitions:
  pool: &pool {name: image-input}
deployments:
- name: unnamed-image
  entrypoint: flows/hello.py:hello
  work_pool: *pool
  tags: ["{{ short_sha }}", "{{ slipway.tag }}"]
- name: own
  entrypoint: flows/hello.py:hello
  description: built as {{ image }}
  work_pool: {name: image-input, job_variables: {image: "example.com/theirs:1"}}
- name: named
  entrypoint: flows/hello.py:hello
  work_pool: {name: image-input, job_variables: {image: "{{ slipway.image }}"}}
`;

/** The input `image`, end to end: no build step anywhere, one image for all deployments. */
describe('the input image', () => {
  const rig = inject('rig');
  const repository = `${rig.registry}/image-input/hello`;
  let api: PrefectApi;
  let project: GitProject;

  beforeAll(async () => {
    api = openRigPrefect(rig.prefectApiUrl);
    project = await makeGitProject('hello');
  });
  afterAll(async () => {
    await project.remove();
    await api.close();
  });

  const step = (sha: string, inputs: Record<string, string>, more: Partial<StepRequest> = {}) =>
    runStep({
      workspace: project.directory,
      sha,
      env: rig.env,
      ...more,
      inputs: { 'prefect-api-url': rig.prefectApiUrl, image: repository, ...inputs },
    });

  it('is built from a generated Dockerfile, pushed under its tags and pinned in deployments that name no image', async () => {
    const commit = await project.commit('Say hello', { 'prefect.yaml': PREFECT_YAML, '.env': 'TOKEN=x' });
    const result = await step(commit.sha, { tags: '{sha}\nlatest' });
    expect(result.exitCode, result.log).toBe(0);
    const { outputs } = result;
    expect(outputs).toMatchObject({
      image: `${repository}:${commit.sha}`,
      'image-ref': `${repository}@${outputs.digest}`,
      tag: commit.sha,
      tags: `${commit.sha}\nlatest`,
      sha: commit.sha,
    });
    for (const tag of [commit.sha, 'latest']) expect((await manifestOf(tag)).digest).toBe(outputs.digest);

    const unnamed = await deployment('unnamed-image');
    expect(unnamed.job_variables?.image).toBe(outputs['image-ref']);
    expect(unnamed.pull_steps).toEqual([
      { 'prefect.deployments.steps.set_working_directory': { directory: '/opt/prefect/hello' } },
    ]);
    expect(unnamed.tags).toEqual([commit.shortSha, commit.sha]);
    const own = await deployment('own');
    expect(own.job_variables?.image).toBe('example.com/theirs:1');
    expect(own.description).toBe(`built as ${repository}:${commit.sha}`);
    expect((await deployment('named')).job_variables?.image).toBe(outputs['image-ref']);
  });

  it('says in its labels which commit it is, and holds neither git’s folder nor secrets', async () => {
    const { config, digest } = await manifestOf('latest');
    expect(config.WorkingDir).toBe('/opt/prefect/hello/');
    expect(config.Labels).toMatchObject({
      'org.opencontainers.image.source': 'https://github.com/acme/hello',
      'org.opencontainers.image.revision': expect.stringMatching(/^[0-9a-f]{40}$/),
      'org.opencontainers.image.created': expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/),
    });
    const files = await run('docker', 'run', '--rm', `${repository}@${digest}`, 'find', '/opt/prefect/hello');
    expect(files).toContain('/opt/prefect/hello/flows/hello.py\n');
    expect(files).not.toMatch(/\.git\n|\.env/);
  });

  it('changes nothing when the same commit is deployed again', async () => {
    const sha = await head();
    const result = await step(sha, { tags: '{sha}\nlatest' });
    expect(result.exitCode, result.log).toBe(0);
    expect(result.outputs.changed).toBe('false');
  });

  it('is foreseen in a plan, where nothing is built', async () => {
    const { sha } = await project.commit('Another', { 'flows/more.py': '# more\n' });
    const result = await step(sha, { tags: '{sha}' }, { event: pullRequestEvent(sha) });
    expect(result.exitCode, result.log).toBe(0);
    expect(result.log).toContain(`A deploy builds and pushes ${repository}:${sha}.`);
    expect(result.outputs.image).toBe(`${repository}:${sha}`);
    expect(result.outputs.plan).toContain('(digest known at deploy)');
    expect((await fetch(`http://${rig.registry}/v2/image-input/hello/manifests/${sha}`)).status).toBe(404);
  });

  it('neither builds nor pushes for a fork, unless that is allowed', async () => {
    const sha = await head();
    const asked = { tags: 'fork', mode: 'deploy' };
    const refused = await step(sha, asked, { event: pullRequestEvent(sha, true) });
    expect(refused.exitCode, refused.log).toBe(0);
    expect(refused.log).toContain('Nothing will be written: pull request #7 comes from a fork');
    expect((await fetch(`http://${rig.registry}/v2/image-input/hello/manifests/fork`)).status).toBe(404);
    const allowed = await step(sha, { ...asked, 'allow-untrusted': 'true' }, { event: pullRequestEvent(sha, true) });
    expect(allowed.exitCode, allowed.log).toBe(0);
    expect((await manifestOf('fork')).digest).toBe(allowed.outputs.digest);
  });

  it('tells a dirty work tree in its tag', async () => {
    const sha = await head();
    await writeFile(join(project.directory, 'flows/dirty.py'), '# not committed\n');
    const result = await step(sha, { tags: '{short_sha}' });
    expect(result.exitCode, result.log).toBe(0);
    expect(result.outputs.tag).toBe(`${sha.slice(0, 7)}-dirty`);
    await project.commit('No longer');
  });

  it('is built and not pushed with `push: false`, and that is warned of', async () => {
    const sha = await head();
    const result = await step(sha, { tags: 'local', push: 'false' });
    expect(result.exitCode, result.log).toBe(0);
    expect(result.annotations.map((one) => one.message)).toContainEqual(expect.stringContaining('is not pushed'));
    expect(result.outputs).toMatchObject({ image: `${repository}:local`, 'image-ref': '', digest: '' });
    expect((await deployment('unnamed-image')).job_variables?.image).toBe(`${repository}:local`);
    expect((await fetch(`http://${rig.registry}/v2/image-input/hello/manifests/local`)).status).toBe(404);
  });

  const head = () => run('git', '-C', project.directory, 'rev-parse', 'HEAD').then((text) => text.trim());

  async function run(command: string, ...args: string[]): Promise<string> {
    const { stdout } = await promisify(execFile)(command, args, { env: { ...process.env, ...rig.env } });
    return stdout;
  }

  it('is all that examples/image needs', async () => {
    const example = await makeGitProject('image');
    try {
      const { sha, shortSha } = await example.commit('Count');
      const inputs = { image: `${rig.registry}/image-input/example`, schema: 'image' };
      const result = await step(sha, inputs, { workspace: example.directory });
      expect(result.exitCode, result.log).toBe(0);
      const found = await readDeploymentByName(api, 'count', 'far', soon());
      expect(found).toMatchObject({
        tags: [shortSha],
        description: `Counts to a million, from ${rig.registry}/image-input/example:${sha}`,
        parameters: { to: 1_000_000 },
        job_variables: { image: result.outputs['image-ref'] },
        parameter_openapi_schema: { properties: { to: { default: 42 } } },
      });
    } finally {
      await example.remove();
    }
  });

  async function deployment(name: string) {
    const found = await readDeploymentByName(api, 'hello', name, soon());
    if (found === undefined) throw new Error(`there is no deployment hello/${name}`);
    return found;
  }

  async function manifestOf(tag: string) {
    const accept = 'application/vnd.oci.image.manifest.v1+json, application/vnd.docker.distribution.manifest.v2+json';
    const base = `http://${rig.registry}/v2/image-input/hello`;
    const answer = await fetch(`${base}/manifests/${tag}`, { headers: { accept } });
    const { config } = Manifest.parse(await answer.json());
    const { config: settings } = Config.parse(await (await fetch(`${base}/blobs/${config.digest}`)).json());
    return { digest: answer.headers.get('docker-content-digest'), config: settings };
  }
});
