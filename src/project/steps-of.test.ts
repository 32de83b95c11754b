import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import * as z from 'zod';
import { problemsOf } from '../problem.ts';
import { defaultPull } from './default-pull.ts';
import { imageDirectory } from './image-directory.ts';
import type { Project, StepSpec } from './model.ts';
import { effectiveSteps } from './steps-of.ts';
import { projectFrom } from './testing-project.ts';

/** A phase as it may be written at the top level and in a deployment; `none` leaves the key out. */
const WRITTEN = { none: '', null: 'null', empty: '[]', '{}': '{}', list: '' } as const;
type Written = keyof typeof WRITTEN;

function project(phase: string, top: Written, own: Written): Promise<Project> {
  const line = (written: Written, step: string) =>
    written === 'none' ? '' : `${phase}: ${written === 'list' ? `[{${step}: {}}]` : WRITTEN[written]}\n`;
  return projectFrom(`${line(top, 'TOP')}deployments:\n- name: a\n  ${line(own, 'OWN')}`);
}

async function effective(phase: 'build' | 'push' | 'pull', top: Written, own: Written) {
  const loaded = await project(phase, top, own);
  const [entry] = loaded.entries;
  if (entry === undefined) throw new Error('no entry');
  return effectiveSteps(loaded, entry)[phase]?.map((step: StepSpec) => step.function) ?? 'default';
}

const goldens = z
  .array(
    z.object({
      top: z.enum(['none', 'null', 'empty', '{}', 'list']),
      own: z.enum(['none', 'null', 'empty', '{}', 'list']),
      build: z.array(z.string()),
      push: z.array(z.string()),
      pull: z.union([z.literal('default'), z.array(z.string())]),
    }),
  )
  .parse(JSON.parse(readFileSync(new URL('./fixtures/precedence.json', import.meta.url), 'utf8')));

describe('which steps a deployment has, as with the CLI of Prefect 3.8.8', () => {
  it('is known for all that may be written in both places', () => {
    expect(goldens).toHaveLength(25);
  });

  it.each(goldens)('top level $top, deployment $own: build $build, push $push, pull $pull', async (golden) => {
    const { top, own, build, push, pull } = golden;
    expect({
      build: await effective('build', top, own),
      push: await effective('push', top, own),
      pull: await effective('pull', top, own),
    }).toEqual({ build, push, pull });
  });
});

const BUILD = 'prefect_docker.deployments.steps.build_docker_image';
const CHANGE = 'prefect.deployments.steps.set_working_directory';

async function pullOf(text: string, image?: string) {
  const loaded = await projectFrom(text);
  const [entry] = loaded.entries;
  if (entry === undefined) throw new Error('no entry');
  return defaultPull(loaded, entry, image);
}

describe('the pull steps of a deployment for which none are written', () => {
  it('go to where a generated Dockerfile copies the project', async () => {
    const text = `build: [{${BUILD}: {image_name: x, dockerfile: auto}}]\ndeployments: [{name: a}]`;
    expect(await pullOf(text)).toEqual({
      steps: [{ [CHANGE]: { directory: '/opt/prefect/project' } }],
      warning: undefined,
    });
  });

  it('are none with a Dockerfile of the user, whose working directory is right', async () => {
    const text = `deployments: [{name: a, build: {${BUILD}: {image_name: x}}}]`;
    expect(await pullOf(text)).toEqual({ steps: [], warning: undefined });
  });

  it("still follow the top level's image when the deployment does not build it again", async () => {
    const text = `build: [{${BUILD}: {image_name: x, dockerfile: auto}}]\ndeployments: [{name: a, build: []}]`;
    expect((await pullOf(text)).steps).toHaveLength(1);
  });

  it('go to /opt/prefect of an image that is only named, with a warning', async () => {
    expect(await pullOf('deployments: [{name: a}]', 'acme/flows:1')).toEqual({
      steps: [{ [CHANGE]: { directory: '/opt/prefect' } }],
      warning: expect.stringContaining('deployment a: its flow is looked for in /opt/prefect'),
    });
  });

  it.each([
    [undefined],
    [''],
  ])('cannot be guessed without an image: the error names three ways out (image: %s)', async (image) => {
    const error = await pullOf('deployments:\n- name: a\n', image).catch((thrown: unknown) => thrown);
    const [problem] = problemsOf(error) ?? [];
    expect(problem?.message).toBe('deployment a: a worker would not know where to find its flow');
    expect(problem?.remedy).toMatch(/build_docker_image.*job_variables\.image.*git_clone/);
    expect(problem?.where).toMatchObject({ line: 2 });
  });
});

describe('default pull steps beside the action’s own image', () => {
  it.each<[string, string | undefined, string | undefined, object[]]>([
    [
      'go to where its Dockerfile puts the project',
      undefined,
      '/opt/prefect/hello',
      [{ [CHANGE]: { directory: '/opt/prefect/hello' } }],
    ],
    ['are none with a Dockerfile of the user, whose working directory is right', undefined, undefined, []],
    [
      'are those of another image that the deployment names',
      'other:1',
      '/srv',
      [{ [CHANGE]: { directory: '/opt/prefect' } }],
    ],
  ])('%s', async (_what, image, directory, steps) => {
    const loaded = await projectFrom('deployments:\n- name: a\n');
    const [entry] = loaded.entries;
    expect(entry && defaultPull(loaded, entry, image, { directory }).steps).toEqual(steps);
  });
});

describe('the directory in an image that a generated Dockerfile fills', () => {
  it.each([
    ['/opt/prefect/hello', '/opt/prefect/hello'],
    ['/opt/prefect/hello/', '/opt/prefect/hello'],
    ['/opt/prefect/hello/flows', '/opt/prefect/hello'],
    ['/opt/prefect', '/opt/prefect/project'],
    ['/opt/prefect/{{ name }}', '/opt/prefect/project'],
    ['/srv/hello', '/opt/prefect/project'],
  ])('with a pull step to %s is %s', async (directory, expected) => {
    const loaded = await projectFrom(`pull: [{${CHANGE}: {directory: "${directory}"}}]`);
    const pull = loaded.pull.kind === 'list' ? loaded.pull.steps : undefined;
    expect(imageDirectory(loaded, pull)).toBe(expected);
  });

  it("without a pull step is named after the project's folder", async () => {
    expect(imageDirectory(await projectFrom('deployments: []'), undefined)).toBe('/opt/prefect/project');
  });
});
