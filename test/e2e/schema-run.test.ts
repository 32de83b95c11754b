import { type PrefectApi, readDeploymentByName } from '@slipway/prefect/client';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { type GitProject, makeGitProject } from '../journey/git-project.ts';
import { pullRequestEvent, runStep, type StepResult } from '../journey/runner.ts';
import { BUILDKIT_BUILDER } from '../rig/rig-description.ts';
import { openRigPrefect, soon } from './prefect.ts';

const FLOW = 'made-by-code';

/** Its schema is known to the running code alone. */
function source(more = ''): string {
  return `import settings
from prefect import flow
from pydantic import create_model
${more}
Made = create_model("Made", rows=(int, settings.ROWS))


@flow(name="${FLOW}", description=f"Up to {settings.ROWS} rows")
def hello(made: Made, name: str = "Marvin"):
    """Not the description."""
`;
}

const EXACT = {
  title: 'Parameters',
  type: 'object',
  properties: {
    made: { $ref: '#/definitions/Made', position: 0, title: 'made' },
    name: { default: 'Marvin', position: 1, title: 'name', type: 'string' },
  },
  required: ['made'],
  definitions: {
    Made: { properties: { rows: { default: 10, title: 'Rows', type: 'integer' } }, title: 'Made', type: 'object' },
  },
};
const HONEST = {
  title: 'Parameters',
  type: 'object',
  properties: { made: { position: 0, title: 'made' }, name: EXACT.properties.name },
  required: ['made'],
};

/**
 * The whole action over a flow whose schema only the running code knows, told in order: the image is really built and
 * asked, and each test goes on with the deployment that the one before it left.
 */
describe('a flow whose schema only its code knows', () => {
  const rig = inject('rig');
  let api: PrefectApi;
  let project: GitProject;

  beforeAll(async () => {
    api = openRigPrefect(rig.prefectApiUrl);
    project = await makeGitProject('hello');
    const yaml = (await project.read('prefect.yaml')).replaceAll('name: kubernetes', 'name: made-by-code');
    await project.commit('Begin', {
      // Only one of the example's deployments; the directory of its pull step is on the path, as for its runs.
      'prefect.yaml': yaml.slice(0, yaml.indexOf('- name: arthur')),
      'flows/hello.py': source(),
      'settings.py': 'ROWS = 10\n',
    });
  });
  afterAll(async () => {
    await project.remove();
    await api.close();
  });

  let serial = 0;
  async function step(
    inputs: Record<string, string>,
    files: Record<string, string> = {},
    more: { readonly env?: Record<string, string>; readonly plan?: boolean } = {},
  ): Promise<StepResult> {
    serial += 1;
    const { sha } = await project.commit(`Deploy ${serial}`, { 'note.txt': String(serial), ...files });
    return await runStep({
      workspace: project.directory,
      sha,
      inputs: { 'prefect-api-url': rig.prefectApiUrl, ...inputs },
      env: { ...rig.env, IMAGE_REPOSITORY: `${rig.registry}/made-by-code`, ...more.env },
      ...(more.plan === true ? { event: pullRequestEvent(sha) } : {}),
    });
  }
  const stored = async () => {
    const found = await readDeploymentByName(api, FLOW, 'default', soon());
    return (
      found && { schema: JSON.parse(JSON.stringify(found.parameter_openapi_schema)), description: found.description }
    );
  };
  const said = (result: StepResult, level: string) =>
    result.annotations.filter((one) => one.level === level).map((one) => one.message);

  it('is planned with a schema that is known at deploy', async () => {
    const result = await step({}, {}, { plan: true });
    expect(result.exitCode, result.log).toBe(0);
    expect(result.log).toContain('its parameter schema is known at deploy, from the image');
    expect(await stored()).toBeUndefined();
  });

  it('is registered with what its source says, and no more, with `schema: static`', async () => {
    const result = await step({ schema: 'static' });
    expect(result.exitCode, result.log).toBe(0);
    expect(result.log).not.toContain('Parameter schemas from');
    expect(await stored()).toMatchObject({ schema: HONEST });
  });

  it('is registered exactly with `schema: auto`: the image that was just built is asked', async () => {
    const result = await step({});
    expect(result.exitCode, result.log).toBe(0);
    expect(result.log).toContain(`Parameter schemas from ${result.outputs['image-ref']}`);
    expect(await stored()).toEqual({ schema: EXACT, description: 'Up to 10 rows' });
    expect(said(result, 'warning').filter((one) => one.includes('schema'))).toEqual([]);
  });

  it('follows the code with `schema: image`', async () => {
    const result = await step({ schema: 'image' }, { 'settings.py': 'ROWS = 20\n' });
    expect(result.exitCode, result.log).toBe(0);
    const schema = structuredClone(EXACT);
    schema.definitions.Made.properties.rows.default = 20;
    expect(await stored()).toEqual({ schema, description: 'Up to 20 rows' });
  });

  it('that its image cannot load stops a deploy with `schema: image`, at the line of the code', async () => {
    const before = await stored();
    const result = await step({ schema: 'image' }, { 'flows/hello.py': source('import nosuchlib') });
    expect(result.exitCode).toBe(1);
    const [error] = result.annotations.filter((one) => one.level === 'error');
    expect(error?.message).toContain("ModuleNotFoundError: No module named 'nosuchlib'");
    expect(error?.properties).toMatchObject({ file: 'flows/hello.py', line: '4' });
    expect(await stored()).toEqual(before);
  });

  it('that its image cannot load keeps the schema it has with `schema: auto`, and is warned of', async () => {
    const before = await stored();
    const result = await step({});
    expect(result.exitCode, result.log).toBe(0);
    expect(said(result, 'warning').join('\n')).toMatch(/nosuchlib.*the one that the server has stays/s);
    expect((await stored())?.schema).toEqual(before?.schema);
  });

  describe('where no daemon can run images', () => {
    // A builder somewhere else is all there is, as on runners without Docker.
    const env = { DOCKER_HOST: 'unix:///nonexistent/docker.sock' };
    const files = async () => ({
      'flows/hello.py': source(),
      Dockerfile: 'FROM scratch\nCOPY . /opt/prefect/hello/\n',
      'prefect.yaml': (await project.read('prefect.yaml')).replace(
        'dockerfile: auto',
        `dockerfile: Dockerfile\n    builder: ${BUILDKIT_BUILDER}`,
      ),
    });

    it('is registered with what is known with `schema: auto`, which says why', async () => {
      const before = await stored();
      const result = await step({}, await files(), { env });
      expect(result.exitCode, result.log).toBe(0);
      expect(said(result, 'warning').join('\n')).toContain('no Docker daemon can run images here');
      expect((await stored())?.schema).toEqual(before?.schema);
      expect(result.outputs.digest).toMatch(/^sha256:/);
    });

    it('is not registered with `schema: image`', async () => {
      const before = await stored();
      const result = await step({ schema: 'image' }, { 'settings.py': 'ROWS = 30\n' }, { env });
      expect(result.exitCode).toBe(1);
      expect(said(result, 'error').join('\n')).toMatch(/no Docker daemon can run images here.*schema: auto/s);
      expect(await stored()).toEqual(before);
    });
  });
});
