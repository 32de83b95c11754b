import { type Commit, type GitProject, makeGitProject } from '../journey/git-project.ts';
import { runStep, type StepRequest, type StepResult } from '../journey/runner.ts';
import type { Setting } from './setting.ts';

/** A repository whose one image is a Dockerfile without a base, and the job that ships it from inside the enclosure. */
export interface Workflow {
  /**
   * Commits what builds and pushes `repository:tag`, and runs the action as a push to main does.
   *
   * @param more inputs, and what the job's `env:` and permissions put into the environment.
   */
  push(image: string, more?: JobOptions): Promise<StepResult>;
  remove(): Promise<void>;
}

export interface JobOptions {
  readonly inputs?: Readonly<Record<string, string>>;
  readonly env?: Readonly<Record<string, string>>;
  /** What started the job; absent: a push to main. */
  readonly event?: (sha: string) => NonNullable<StepRequest['event']>;
}

export async function openWorkflow(setting: Setting): Promise<Workflow> {
  const project: GitProject = await makeGitProject('hello');
  let number = 0;
  const commit = (image: string): Promise<Commit> => {
    number += 1;
    return project.commit(`Push ${number}`, {
      Dockerfile: 'FROM scratch\nCOPY number flows /app/\n',
      // New bytes, so that each push sends a layer.
      number: `${number} ${Date.now()}\n`,
      'prefect.yaml': prefectFile(image),
    });
  };
  return {
    async push(image, { inputs = {}, env = {}, event } = {}) {
      const { sha } = await commit(image);
      return await runStep({
        workspace: project.directory,
        sha,
        inputs,
        env: { ...setting.env, ...env },
        entry: (directory) => setting.enclosure.entry(directory),
        ...(event === undefined ? {} : { event: event(sha) }),
      });
    },
    remove: () => project.remove(),
  };
}

function prefectFile(image: string): string {
  const colon = image.lastIndexOf(':');
  return `name: hello
work_pools:
- name: clouds
  type: kubernetes
  base_job_template: default
build:
- prefect_docker.deployments.steps.build_docker_image:
    id: build-image
    image_name: ${image.slice(0, colon)}
    tag: ${image.slice(colon + 1)}
    dockerfile: Dockerfile
push:
- prefect_docker.deployments.steps.push_docker_image:
    image_name: "{{ build-image.image_name }}"
    tag: "{{ build-image.tag }}"
pull:
- prefect.deployments.steps.set_working_directory:
    directory: /app
deployments:
- name: clouds
  entrypoint: flows/hello.py:hello
  work_pool:
    name: clouds
    job_variables: {image: "{{ build-image.image }}"}
`;
}
