import { type GitProject, makeGitProject } from '../journey/git-project.ts';

const FLOWS_A_FILE = 10;

/**
 * A project with so many deployments, as a team's grows: ten flows a file with typed parameters, tags, one to three
 * schedules of all kinds, job variables, every tenth with a concurrency limit.
 */
export async function makeDeployProject(entries: number): Promise<{ project: GitProject; sha: string }> {
  const project = await makeGitProject('hello');
  const files: Record<string, string> = { 'prefect.yaml': prefectYaml(entries) };
  for (let first = 0; first < entries; first += FLOWS_A_FILE) {
    files[fileOf(first)] = flowFile(first, Math.min(FLOWS_A_FILE, entries - first));
  }
  const { sha } = await project.commit(`${entries} deployments`, files);
  return { project, sha };
}

function fileOf(index: number): string {
  return `flows/group_${Math.floor(index / FLOWS_A_FILE)}.py`;
}

const SCHEDULES = [
  '{cron: "0 6 * * *", timezone: Europe/Berlin}',
  '{interval: 3600, active: false}',
  '{rrule: "FREQ=WEEKLY;BYDAY=MO", timezone: UTC}',
];

function prefectYaml(entries: number): string {
  const head = `name: bench
pull:
- prefect.deployments.steps.set_working_directory:
    directory: /opt/prefect/bench
deployments:
`;
  const items = Array.from({ length: entries }, (_, index) => {
    const schedules = SCHEDULES.slice(0, 1 + (index % 3)).map((schedule) => `  - ${schedule}\n`);
    return `- name: bench-${index}
  entrypoint: ${fileOf(index)}:flow_${index}
  description: Number ${index}
  tags: [bench, team-${index % 7}, "number ${index}"]
  parameters: {day: "2026-01-0${1 + (index % 9)}", limit: ${index}}
  schedules:
${schedules.join('')}  work_pool:
    name: bench
    job_variables: {image: "registry.example.com/bench:1", env: {NUMBER: "${index}"}}
${index % 10 === 0 ? '  concurrency_limit: 2\n' : ''}`;
  });
  return head + items.join('');
}

function flowFile(first: number, count: number): string {
  const head = `from typing import Literal, Optional

from prefect import flow
from pydantic import BaseModel


class Options(BaseModel):
    level: Literal["info", "debug"] = "info"
    retries: int = 3
`;
  const flows = Array.from(
    { length: count },
    (_, index) => `

@flow
def flow_${first + index}(day: str, limit: int = 10, options: Optional[Options] = None, tables: list[str] = ["a"]):
    """Flow ${first + index}.

    Args:
        day: the day to load
        limit: how many rows
    """
`,
  );
  return head + flows.join('');
}
