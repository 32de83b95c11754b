import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { stepEnvironment } from './templating.ts';
import { BUILD, CHANGE, PUSH, prepared, SHELL } from './testing-prepare.ts';
import { makeDirectory } from './testing-run.ts';

describe('the steps of a deployment', () => {
  it('give their outputs to later ones, under their id and by themselves', async () => {
    const { outputs } = await prepared(`build:
- ${SHELL}: {id: first-one, script: echo a}
- ${SHELL}: {id: second, script: "echo {{ first-one.stdout }} {{ stdout }} b"}
push:
- ${SHELL}: {script: "echo {{ second.stdout }} c"}
deployments: [{name: x}]
`);
    expect(outputs).toMatchObject({
      'first-one': { stdout: 'a', stderr: '' },
      second: { stdout: 'a a b' },
      stdout: 'a a b c',
    });
  });

  it('lose an id to an output of the same name', async () => {
    const { outputs, logged } = await prepared(
      `build: [{${SHELL}: {id: stdout, script: echo a}}]\ndeployments: [{name: x}]`,
    );
    expect(outputs?.stdout).toBe('a');
    expect(logged.at(-1)).toContain('warning: the id stdout is also the name of an output');
  });

  it('know the revision as the outputs of a step called slipway', async () => {
    const { outputs } = await prepared(
      `build: [{${SHELL}: {script: "echo {{ slipway.short_sha }} {{ slipway.sha }}"}}]\ndeployments: [{name: x}]`,
    );
    expect(outputs?.stdout).toBe('0123456 0123456789abcdef0123456789abcdef01234567');
  });

  it('read a block once for all entries, and again once a step may have changed it', async () => {
    const reads: string[] = [];
    const readers = {
      readBlockDocument: async (slug: string, name: string) => {
        reads.push(`${slug}/${name}`);
        return { value: 'hunter2' };
      },
      readBlockDocumentById: async () => undefined,
      readVariable: async () => undefined,
    };
    const shell = (script: string) => `{${SHELL}: {script: "${script}", env: {A: "{{ prefect.blocks.secret.s }}"}}}`;
    const entries = 'deployments: [{name: x}, {name: y}, {name: z}]';
    await prepared(`build: [${shell('git status')}]\n${entries}`, { readers, mode: 'plan' });
    expect(reads).toEqual(['secret/s']);
    await prepared(`build: [${shell('true')}, ${shell('true')}]\n${entries}`, { readers });
    expect(reads).toHaveLength(1 + 6);
  });

  it('fill in outputs, then blocks, variables and the environment, in that order', async () => {
    const text = `build:
- ${SHELL}: {id: one, script: "echo '{{ prefect.variables.v }}'"}
- ${SHELL}:
    script: printenv A B C D
    env:
      A: "{{ prefect.blocks.secret.s }}"
      B: "{{ prefect.variables.v }}"
      C: "{{ $NAME }}"
      D: "{{ NAME }}|{{ nope }}|"
deployments: [{name: x}]
`;
    const { outputs, context } = await prepared(text, {
      env: { NAME: 'env' },
      readers: {
        readBlockDocument: async () => ({ value: 'hunter2' }),
        readBlockDocumentById: async () => undefined,
        readVariable: async () => 'variable',
      },
    });
    // Outputs come first and remove what they do not know, so a plain name never reaches the environment.
    expect(outputs?.stdout).toBe('hunter2\nvariable\nenv\n||');
    expect(context.world.masked).toEqual(['hunter2']);
    expect(context.world.logged).not.toContain('hunter2');
  });

  it('start from the directory that a step changed to, and each deployment from the project', async () => {
    const directory = await makeDirectory();
    await mkdir(join(directory, 'sub'));
    const text = `build:
- ${CHANGE}: {id: cd, directory: sub}
- ${SHELL}: {script: pwd}
deployments: [{name: x}, {name: y}]
`;
    const { entries } = await prepared(text, { directory });
    for (const entry of entries) {
      expect(entry.outputs).toMatchObject({
        cd: { directory: join(directory, 'sub') },
        stdout: join(directory, 'sub'),
      });
    }
  });

  it('run again for every deployment', async () => {
    const directory = await makeDirectory();
    const text = `build: [{${SHELL}: {shell: true, script: "echo x >> runs; wc -l < runs"}}]
deployments: [{name: x}, {name: y}, {name: z, build: []}]
`;
    const { entries } = await prepared(text, { directory });
    expect(entries.map((entry) => entry.outputs.stdout)).toEqual(['1', '2', undefined]);
  });

  it('stand in the log as groups with the deployment, function and id', async () => {
    const { logged } = await prepared(`build: [{${SHELL}: {id: one, script: echo hi}}]\ndeployments: [{name: x}]`);
    expect(logged).toEqual(['> x: run_shell_script (id one)', 'hi']);
  });

  it('hand the pull steps on as they are written', async () => {
    const { entries } = await prepared(
      'pull: [{a.b: {c: "{{ d }}"}}]\ndeployments: [{name: x}, {name: y, pull: []}, {name: z, pull: null}]',
    );
    expect(entries.map((entry) => entry.pull?.map((step) => step.raw))).toEqual([
      [{ 'a.b': { c: '{{ d }}' } }],
      [],
      [{ 'a.b': { c: '{{ d }}' } }],
    ]);
  });
});

describe('images', () => {
  const text = `build:
- ${SHELL}: {id: sha, script: echo abc}
- ${BUILD}: {id: build-image, image_name: acme/hello, tag: "{{ sha.stdout }}", dockerfile: auto}
push:
- ${PUSH}: {image_name: "{{ build-image.image_name }}", tag: "{{ build-image.tag }}"}
deployments: [{name: x}, {name: y}, {name: z, push: null, work_pool: {name: p}}]
`;

  it('are built and pushed once for all deployments that share them', async () => {
    const { context, entries } = await prepared(text);
    expect(context.builds).toMatchObject([{ plan: { repository: 'acme/hello', tags: ['abc'], push: true } }]);
    expect(entries.map((entry) => entry.images.map((image) => image.imageRef))).toEqual([
      [expect.stringContaining('acme/hello@sha256:')],
      [expect.stringContaining('acme/hello@sha256:')],
      [expect.stringContaining('acme/hello@sha256:')],
    ]);
  });

  it('are built again when the step says so', async () => {
    const { context } = await prepared(text.replace('dockerfile: auto', 'dockerfile: auto, ignore_cache: true'));
    expect(context.builds).toHaveLength(3);
  });

  it('without a tag share one between equal steps, and no other', async () => {
    const { context, entries } = await prepared(`build:
- ${BUILD}: {id: one, image_name: acme/hello}
- ${BUILD}: {id: two, image_name: acme/hello, target: other}
deployments: [{name: x}, {name: y}]
`);
    expect(context.builds).toHaveLength(2);
    const tags = entries.map(({ outputs }) => JSON.stringify([outputs.one, outputs.two]));
    expect(tags[0]).toBe(tags[1]);
    expect(context.builds[0]?.plan.tags).not.toEqual(context.builds[1]?.plan.tags);
  });

  it('count once when a step between build and push makes two of it', async () => {
    const { entries, context } = await prepared(`build:
- ${BUILD}: {image_name: acme/hello, tag: v1}
- ${SHELL}: {script: echo test}
- ${PUSH}: {image_name: acme/hello, tag: v1}
deployments: [{name: x}]
`);
    expect(context.builds.map(({ plan }) => plan.push)).toEqual([false, true]);
    expect(entries[0]?.images).toMatchObject([{ imageRef: expect.stringContaining('@sha256:') }]);
  });
});

describe('the environment of steps', () => {
  it('leaves out what the runner gives to the action alone', () => {
    const env = {
      'INPUT_REGISTRY-PASSWORD': 'x',
      STATE_pid: '1',
      ACTIONS_RUNTIME_TOKEN: 't',
      GITHUB_SHA: 's',
      PATH: '/',
    };
    expect(stepEnvironment(env)).toEqual({ GITHUB_SHA: 's', PATH: '/' });
  });
});
