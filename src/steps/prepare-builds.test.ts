import { setTimeout as wait } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { Stopped } from '../image/builder.ts';
import type { BuiltImage, ImagePlan } from '../image/model.ts';
import { BUILD, CHANGE, PUSH, prepared, SHELL } from './testing-prepare.ts';

describe('a build step', () => {
  it.each([
    ['nothing', ''],
    [
      'git’s readers',
      `- ${SHELL}: {script: "git rev-parse --short HEAD\\ngit log -1 --format=%s", directory: REPOSITORY}\n`,
    ],
    ['a change of directory', `- ${CHANGE}: {directory: /}\n`],
    ['another image', `- ${BUILD}: {image_name: acme/other, tag: x}\n- ${PUSH}: {image_name: acme/other, tag: x}\n`],
  ])('builds what was committed after %s', async (_what, before) => {
    expect(await changedBy(before.replace('REPOSITORY', import.meta.dirname))).toBeUndefined();
  });

  it.each([
    ['a script', `- ${SHELL}: {id: generate, script: echo}\n`, 'the step run_shell_script (id generate)'],
    [
      'git in a shell',
      `- ${SHELL}: {script: git rev-parse HEAD, shell: true, directory: REPOSITORY}\n`,
      'the step run_shell_script',
    ],
    [
      'what may have changed files first',
      `- ${SHELL}: {id: one, script: echo}\n- ${SHELL}: {id: two, script: echo}\n`,
      'the step run_shell_script (id one)',
    ],
  ])('may build something else after %s', async (_what, before, step) => {
    expect(await changedBy(before.replace('REPOSITORY', import.meta.dirname))).toBe(step);
  });

  it('may build something else after another deployment’s script', async () => {
    const text = `deployments:
- {name: a, build: [{${SHELL}: {script: echo}}]}
- {name: b, build: [{${BUILD}: {image_name: acme/hello, tag: v1}}]}
`;
    const { context } = await prepared(text);
    expect(context.builds.map(({ plan }) => plan.changedBy)).toEqual(['the step run_shell_script']);
  });

  it('asks for a build of its own with ignore_cache', async () => {
    const text = `build: [{${BUILD}: {image_name: acme/hello, tag: v1, ignore_cache: true}}]\ndeployments: [{name: x}]`;
    expect((await prepared(text)).context.builds[0]?.plan.freshBecause).toBe('ignore_cache is set');
  });

  it('asks for a build of its own with pull written out, not with Prefect’s default', async () => {
    const because = async (pull: string) => {
      const text = `build: [{${BUILD}: {image_name: acme/hello, tag: v1${pull}}}]\ndeployments: [{name: x}]`;
      return (await prepared(text)).context.builds[0]?.plan.freshBecause;
    };
    expect(await because('')).toBeUndefined();
    expect(await because(', pull: true')).toBe('pull asks for the newest base image');
  });

  it('of one deployment is built together with those of others, when nothing else stands between', async () => {
    const text = `build:
- ${SHELL}: {id: commit, script: "git rev-parse --short HEAD", directory: ${import.meta.dirname}}
- ${BUILD}: {id: made, image_name: acme/a, tag: "{{ commit.stdout }}"}
push: [{${PUSH}: {image_name: "{{ made.image_name }}", tag: "{{ made.tag }}"}}]
deployments: [{name: a}, {name: b, build: [{${BUILD}: {image_name: acme/b, tag: v1}}], push: [{${PUSH}: {image_name: acme/b, tag: v1}}]}]
`;
    const { most, names, entries } = await together(text);
    expect({ most, names }).toEqual({ most: 2, names: ['acme/a', 'acme/b'] });
    expect(entries.map(({ images }) => images.map(({ imageRef }) => imageRef))).toEqual([
      ['acme/a@sha256:1'],
      ['acme/b@sha256:2'],
    ]);
    expect(entries.map(({ outputs }) => outputs.image_id)).toEqual(['sha256:1', 'sha256:2']);
    expect(entries[0]?.outputs.made).toMatchObject({ image_id: 'sha256:1' });
  });

  it.each([
    ['a script', `${SHELL}: {script: echo}`],
    [
      'a step that asks for the image’s id',
      `${SHELL}: {script: "git log -1 --format=%h-{{ one.image_id }}", directory: ${import.meta.dirname}}`,
    ],
  ])('is built before %s', async (_what, step) => {
    const text = `build:
- ${BUILD}: {id: one, image_name: acme/one, tag: v1, push: true}
- ${step}
- ${BUILD}: {id: two, image_name: acme/two, tag: v1, push: true}
deployments: [{name: x}]
`;
    const { most } = await together(text);
    expect(most).toBe(1);
  });

  it('waits for one of the same name that was asked for before', async () => {
    const text = `deployments:
- {name: a, build: [{${BUILD}: {image_name: acme/same, tag: v1, push: true, target: a}}]}
- {name: b, build: [{${BUILD}: {image_name: acme/same, tag: v1, push: true, target: b}}]}
`;
    const { most, entries } = await together(text);
    expect(most).toBe(1);
    expect(entries.map(({ images }) => [images[0]?.plan.target, images[0]?.digest])).toEqual([
      ['a', 'sha256:1'],
      ['b', 'sha256:2'],
    ]);
  });

  it('that fails is told, not those that were ended because of it', async () => {
    const text = `build:
- ${BUILD}: {image_name: acme/one, tag: v1}
- ${BUILD}: {image_name: acme/two, tag: v1}
deployments: [{name: x}]
`;
    const buildImage = async (plan: ImagePlan) => {
      throw plan.repository === 'acme/two' ? new Error('two failed') : new Stopped();
    };
    await expect(prepared(text, { buildImage })).rejects.toThrow('two failed');
  });

  /** Prepares with builds that take a moment, and tells how many ran at the same time. */
  async function together(text: string) {
    let [running, most] = [0, 0];
    const names: string[] = [];
    const buildImage = async (plan: ImagePlan): Promise<BuiltImage> => {
      names.push(plan.repository);
      const digest = `sha256:${names.length}`;
      running += 1;
      most = Math.max(most, running);
      await wait(1);
      running -= 1;
      const image = `${plan.repository}:${plan.tags[0]}`;
      return { plan, image, imageRef: `${plan.repository}@${digest}`, digest, seconds: 1 };
    };
    const { entries } = await prepared(text, { buildImage });
    return { most, names, entries };
  }

  async function changedBy(before: string): Promise<string | undefined> {
    const text = `build:\n${before}- ${BUILD}: {image_name: acme/hello, tag: v1}\ndeployments: [{name: x}]`;
    const { context } = await prepared(text);
    return context.builds.at(-1)?.plan.changedBy;
  }
});
