import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type PrefectApi, readFlowsByName, readWorkPool } from '@slipway/prefect/client';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { type GitProject, makeGitProject } from '../journey/git-project.ts';
import { runStep, type StepResult } from '../journey/runner.ts';
import { freePort } from './free-port.ts';
import { openRigPrefect, soon } from './prefect.ts';

const SECRETS = { key: 'pnu_verysecretkey', password: 'registry-hunter2' };

/**
 * What bad input gets: one annotation with cause and fix, exit 1, nothing half-written, no secret in any output. Each
 * project has a flow and a pool of its own name, so that anything written would be found.
 */
describe('bad input', () => {
  const rig = inject('rig');
  let api: PrefectApi;
  let serial = 0;

  beforeAll(() => {
    api = openRigPrefect(rig.prefectApiUrl);
  });
  afterAll(() => api.close());

  interface Case {
    readonly edit?: (project: GitProject, flow: string, pool: string) => Promise<Record<string, string>>;
    readonly inputs?: Record<string, string>;
    readonly env?: Record<string, string>;
  }

  /** Runs the action on a spoiled copy of examples/hello and checks what holds for every refusal. */
  async function refuse({ edit, inputs = {}, env = {} }: Case): Promise<StepResult['annotations'][number]> {
    serial += 1;
    const flow = `refused-${serial}`;
    const pool = `refused-pool-${serial}`;
    const project = await makeGitProject('hello');
    try {
      const yaml = (await project.read('prefect.yaml')).replaceAll('name: kubernetes', `name: ${pool}`);
      const source = (await project.read('flows/hello.py')).replace('@flow(', `@flow(name="${flow}", `);
      const files = { 'prefect.yaml': yaml, 'flows/hello.py': source };
      await project.commit('Begin', files);
      const commit = await project.commit('Spoil', { 'note.txt': 'x', ...(await edit?.(project, flow, pool)) });
      const result = await runStep({
        workspace: project.directory,
        sha: commit.sha,
        inputs: { 'prefect-api-url': rig.prefectApiUrl, 'prefect-api-key': SECRETS.key, ...inputs },
        env: { ...rig.env, IMAGE_REPOSITORY: `${rig.registry}/${flow}`, ...env },
      });
      expect(result.exitCode, result.log).toBe(1);
      expect(result.postExitCode).toBe(0);
      expect(result.leftovers).toEqual([]);
      const shown = result.log.split('\n').filter((line) => !line.startsWith('::add-mask::'));
      const written = [...shown, result.summary, JSON.stringify(result.outputs), JSON.stringify(result.state)].join(
        '\n',
      );
      for (const secret of Object.values(SECRETS)) expect(written).not.toContain(secret);
      expect(await readFlowsByName(api, [flow], soon())).toEqual([]);
      expect(await readWorkPool(api, pool, soon())).toBeUndefined();
      const errors = result.annotations.filter((one) => one.level === 'error');
      expect(errors, result.log).toHaveLength(1);
      const [error] = errors;
      if (error === undefined) throw new Error('no annotation');
      expect(result.summary).toContain('## Slipway: failed');
      return error;
    } finally {
      await project.remove();
    }
  }

  it('that is a missing prefect.yaml is named', async () => {
    const error = await refuse({ inputs: { 'prefect-file': 'prefct.yaml' } });
    expect(error.message).toMatch(/there is no prefct\.yaml\. Set working-directory/i);
  });

  it('that is a prefect.yaml which is a directory is named', async () => {
    const error = await refuse({ inputs: { 'prefect-file': 'flows' } });
    expect(error.message).toMatch(/flows is a directory/i);
  });

  it('that is broken YAML is shown at its line', async () => {
    const edit = async (project: GitProject) => ({
      'prefect.yaml': `${await project.read('prefect.yaml')}\nbuild: [\n`,
    });
    const error = await refuse({ edit });
    expect(error.properties.file).toBe('prefect.yaml');
    expect(Number(error.properties.line)).toBeGreaterThan(1);
  });

  it('that is an API address where nothing listens says so', async () => {
    const port = await freePort();
    const error = await refuse({ inputs: { 'prefect-api-url': `http://127.0.0.1:${port}/api` } });
    expect(error.message.toLowerCase()).toContain(`no answer from the prefect api at http://127.0.0.1:${port}/api`);
    expect(error.message).toContain('Nothing listens there');
  });

  it('that is no API address at all asks for one', async () => {
    const error = await refuse({ inputs: { 'prefect-api-url': '' }, env: { PREFECT_API_URL: '' } });
    expect(error.message).toContain('Set the input prefect-api-url');
  });

  it('that is a wrong key says which input to check', async () => {
    const server = createServer((_request, response) => {
      response.writeHead(401, { 'content-type': 'application/json' }).end('{"exception_message":"Unauthorized"}');
    });
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
    try {
      const { port } = server.address() as AddressInfo;
      const error = await refuse({ inputs: { 'prefect-api-url': `http://127.0.0.1:${port}/api` } });
      expect(error.message).toContain('401');
      expect(error.message).toContain('check prefect-api-key');
    } finally {
      server.closeAllConnections();
      server.close();
    }
  });

  it('that is a registry where nothing listens says so', async () => {
    const port = await freePort();
    const error = await refuse({ env: { IMAGE_REPOSITORY: `127.0.0.1:${port}/hello` } });
    expect(error.message).toContain(`127.0.0.1:${port}`);
    expect(error.message).toMatch(/refused|nothing listens/i);
  });

  it('that is a wrong registry password says which input to check', async () => {
    const server = createServer((_request, response) => {
      const headers = { 'www-authenticate': 'Basic realm="test"', 'content-type': 'application/json' };
      response.writeHead(401, headers).end('{"errors":[{"code":"UNAUTHORIZED","message":"authentication required"}]}');
    });
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
    try {
      const { port } = server.address() as AddressInfo;
      const error = await refuse({
        inputs: { 'registry-username': 'ford', 'registry-password': SECRETS.password },
        env: { IMAGE_REPOSITORY: `127.0.0.1:${port}/hello` },
      });
      expect(error.message).toContain('registry-password');
    } finally {
      server.closeAllConnections();
      server.close();
    }
  });

  it('that is an unknown work pool names it, at its line', async () => {
    const edit = async (project: GitProject) => {
      const yaml = await project.read('prefect.yaml');
      return { 'prefect.yaml': yaml.replace(/(work_pool: &kubernetes\n {4}name: ).*/, '$1no-such-pool') };
    };
    const error = await refuse({ edit });
    expect(error.message).toContain('no-such-pool');
    expect(error.properties.file).toBe('prefect.yaml');
  });

  it('that is a broken flow file is shown at its line', async () => {
    const edit = async (project: GitProject) => ({
      'flows/hello.py': `${await project.read('flows/hello.py')}\ndef broken(:\n`,
    });
    const error = await refuse({ edit });
    expect(error.properties.file).toBe('flows/hello.py');
  });

  it('that is an entrypoint without a flow names what the file has', async () => {
    const edit = async (project: GitProject) => ({
      'prefect.yaml': (await project.read('prefect.yaml')).replaceAll('hello.py:hello', 'hello.py:helo'),
    });
    const error = await refuse({ edit, inputs: { deployments: 'default' } });
    expect(error.message).toContain('helo');
    expect(error.properties.file).toBe('prefect.yaml');
  });

  it('that is a stopped Docker says so', async () => {
    const error = await refuse({ env: { DOCKER_HOST: 'unix:///nonexistent/docker.sock' } });
    expect(error.message).toMatch(/docker/i);
  });

  it('that is a failing build step shows the step and what it said', async () => {
    const edit = async (project: GitProject) => ({
      'prefect.yaml': (await project.read('prefect.yaml')).replace(
        'git rev-parse --short HEAD',
        'git rev-parse --short NOWHERE',
      ),
    });
    const error = await refuse({ edit });
    expect(error.message).toContain('run_shell_script');
    expect(error.properties.file).toBe('prefect.yaml');
  });

  it('that is a job variable the pool does not take is refused before anything is built', async () => {
    const edit = async (project: GitProject) => ({
      'prefect.yaml': (await project.read('prefect.yaml')).replace(
        'image: "{{ build-image.image }}"',
        'image: "{{ build-image.image }}"\n      image_pull_policy: Sometimes',
      ),
    });
    const error = await refuse({ edit, inputs: { deployments: 'default' } });
    expect(error.message).toContain('image_pull_policy');
  });

  it('that asks for what is not there yet is refused by name', async () => {
    const error = await refuse({ inputs: { prune: 'true' } });
    expect(error.message).toContain('prune is not supported');
  });
});
