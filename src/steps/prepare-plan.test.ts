import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { KNOWN_AT_DEPLOY } from './foresight.ts';
import { BUILD, CHANGE, PUSH, prepared, SHELL } from './testing-prepare.ts';
import { makeDirectory } from './testing-run.ts';

describe('a plan', () => {
  it('foresees outputs, marks what only a deploy knows, and builds nothing', async () => {
    const directory = await makeDirectory();
    const text = `build:
- ${SHELL}: {id: made, script: touch made}
- ${BUILD}: {id: build-image, image_name: acme/hello, tag: "{{ made.stdout }}", dockerfile: auto}
- ${BUILD}: {id: known, image_name: acme/known, tag: v1}
- prefect.deployments.steps.pip_install_requirements: {id: pip}
push:
- ${PUSH}: {image_name: acme/hello, tag: "{{ build-image.tag }}", credentials: "{{ prefect.blocks.secret.none }}"}
deployments: [{name: x}]
`;
    const { entries, context } = await prepared(text, { mode: 'plan', directory });
    const [entry] = entries;
    expect(context.builds).toEqual([]);
    expect(await context.world.files.list(directory)).toEqual([]);
    expect(entry?.outputs.known).toMatchObject({ image: 'acme/known:v1' });
    expect(entry?.outputs['build-image']).toMatchObject({ image: `acme/hello:${KNOWN_AT_DEPLOY}` });
    expect(entry?.images.map((image) => image.digest)).toEqual([undefined, undefined]);
    expect(entry?.unknown).toEqual(
      expect.arrayContaining([
        'made.stdout',
        'build-image.tag',
        'build-image.image',
        'build-image.image_id',
        'pip.stdout',
        'stdout',
      ]),
    );
    expect(entry?.unknown).not.toContain('known.image');
  });

  it('carries on where a directory is not made yet, or not known', async () => {
    const text = `build:
- ${SHELL}: {id: made, script: mkdir out}
- ${CHANGE}: {directory: "{{ made.stdout }}"}
- ${CHANGE}: {id: out, directory: out}
deployments: [{name: x}]
`;
    const { entries, directory } = await prepared(text, { mode: 'plan' });
    expect(entries[0]?.outputs.out).toEqual({ directory: join(directory, 'out') });
  });

  it('has nothing unknown after a deploy', async () => {
    const { entries } = await prepared(`build: [{${SHELL}: {script: echo}}]\ndeployments: [{name: x}]`);
    expect(entries[0]?.unknown).toEqual([]);
  });
});
