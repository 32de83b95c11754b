import { parse, TomlError } from 'smol-toml';
import * as z from 'zod';
import { Problem } from '../../problem.ts';
import type { Files } from '../../world.ts';

/** Where a project says what it needs, as far as a generated Dockerfile installs it. */
export type Dependencies =
  | { readonly kind: 'requirements.txt' }
  /** pyproject.toml and the lock of uv beside it. */
  | { readonly kind: 'uv.lock' }
  | { readonly kind: 'pyproject.toml' }
  /** Nothing is installed; `note` when the project has dependencies that cannot be. */
  | { readonly kind: 'none'; readonly note: string | undefined };

const PyProject = z.looseObject({
  project: z
    .looseObject({ dependencies: z.array(z.string()).optional(), dynamic: z.array(z.string()).optional() })
    .optional(),
  tool: z.looseObject({ poetry: z.looseObject({ dependencies: z.looseObject({}).optional() }).optional() }).optional(),
});

/**
 * Looks what there is to install in a build context: requirements.txt, as Prefect does; else uv.lock; else the
 * dependencies that pyproject.toml lists. A pyproject.toml that only configures tools says nothing.
 *
 * @throws Problem for a pyproject.toml that cannot be read.
 */
export async function findDependencies(
  context: string,
  files: Pick<Files, 'exists' | 'readText'>,
): Promise<Dependencies> {
  if (await files.exists(`${context}/requirements.txt`)) return { kind: 'requirements.txt' };
  if (!(await files.exists(`${context}/pyproject.toml`))) return { kind: 'none', note: undefined };
  if (await files.exists(`${context}/uv.lock`)) return { kind: 'uv.lock' };
  return dependenciesOf(await files.readText(`${context}/pyproject.toml`), `${context}/pyproject.toml`);
}

function dependenciesOf(text: string, path: string): Dependencies {
  const { project, tool } = readPyProject(text, path);
  if (project?.dynamic?.includes('dependencies')) {
    return { kind: 'none', note: 'pyproject.toml computes its dependencies when it is built (`dynamic`)' };
  }
  if ((project?.dependencies ?? []).length > 0) return { kind: 'pyproject.toml' };
  const names = Object.keys(tool?.poetry?.dependencies ?? {}).filter((name) => name !== 'python');
  if (names.length === 0) return { kind: 'none', note: undefined };
  return {
    kind: 'none',
    note: 'pyproject.toml lists its dependencies for Poetry alone (`[tool.poetry.dependencies]`)',
  };
}

function readPyProject(text: string, path: string): z.infer<typeof PyProject> {
  try {
    return PyProject.parse(parse(text));
  } catch (cause) {
    const where = cause instanceof TomlError ? `, line ${cause.line}` : '';
    throw new Problem(`${path} cannot be read for the generated Dockerfile${where}`, {
      remedy: 'Correct it: `[project]` with `dependencies` as a list of texts. Or write a Dockerfile.',
      cause,
    });
  }
}
