import { problemsOf } from '../problem.ts';
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

/** What is wrong with a prefect.yaml, each as `file:line:column message`; empty when it loads. */
export async function problemsIn(text: string): Promise<string[]> {
  return await projectFrom(text).then(
    () => [],
    (error: unknown) => {
      const problems = problemsOf(error);
      if (problems === undefined) throw error;
      return problems.map(({ message, where }) => `${where?.file}:${where?.line}:${where?.column} ${message}`);
    },
  );
}
