import { loadProject } from './load.ts';
import type { Project } from './model.ts';

/** A project from the text of its prefect.yaml, for tests: it lies in /repo/project of the repository /repo. */
export function projectFrom(text: string): Promise<Project> {
  return loadProject({
    directory: '/repo/project',
    prefectFile: 'prefect.yaml',
    repositoryRoot: '/repo',
    files: { readText: async () => text },
  });
}
