import { basename, isAbsolute, relative, resolve, sep } from 'node:path';
import type { JsonObject } from '@slipway/prefect/json';
import { findPlaceholders } from '@slipway/prefect/template';
import { Problem, throwIfAny } from '../problem.ts';
import type { Files } from '../world.ts';
import { toProblems } from './issues.ts';
import type { Entry, Project, StepList, WorkPoolEntry } from './model.ts';
import { child, isNull, positionsOf, toPlain, type YamlList, type YamlMap, type YamlNode } from './nodes.ts';
import { type DeploymentFields, prefectYaml, type WorkPoolFields } from './schema.ts';
import { PHASES, readStepList, type StepFindings } from './step-list.ts';
import { nonTextKeys } from './text-keys.ts';
import { parseYaml } from './yaml.ts';

export interface LoadOptions {
  /** The project's directory, absolute. */
  readonly directory: string;
  /** prefect.yaml's path, absolute or relative to the directory. */
  readonly prefectFile: string;
  readonly files: Pick<Files, 'readText'>;
  /** The repository's root, absolute: positions are relative to it, as annotations want. */
  readonly repositoryRoot: string;
}

/**
 * Reads and checks prefect.yaml (contracts/deploy.md §1.1–§1.6; design.md, differences 1 and 6).
 *
 * Nothing is skipped: a file that Prefect's CLI would drop as a whole is an error with every place in it that is
 * wrong. Templates are not looked into; what they come to is checked after templating.
 *
 * @returns the project, with the position of every key.
 * @throws Problem | Problems.
 */
export async function loadProject(options: LoadOptions): Promise<Project> {
  const path = resolve(options.directory, options.prefectFile);
  const file = repositoryPath(options.repositoryRoot, path);
  const root = parseYaml(await readText(options, path, file), file);
  if (root?.kind !== 'map') {
    throw new Problem(`${file} ${root === undefined || isNull(root) ? 'is empty' : 'is not a mapping'}`, {
      remedy: 'It begins with keys such as `deployments:`, `build:`, `push:` and `pull:`, without indentation.',
      where: root?.where ?? { file, line: 1, column: 1 },
    });
  }
  return readProject(root, options.directory, file);
}

async function readText(options: LoadOptions, path: string, file: string): Promise<string> {
  try {
    return await options.files.readText(path);
  } catch (error) {
    throw unreadable(error, file, basename(path));
  }
}

function unreadable(error: unknown, file: string, name: string): Problem {
  const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown error';
  const remedy = `Set working-directory to the folder that holds ${name}, or prefect-file to its path.`;
  switch (code) {
    case 'ENOENT':
    case 'ENOTDIR':
      return new Problem(`there is no ${file}`, { remedy: `${remedy} Is the repository checked out?`, cause: error });
    case 'EISDIR':
      return new Problem(`${file} is a directory`, { remedy, cause: error });
    default:
      return new Problem(`${file} cannot be read: ${code}`, { remedy: 'Check its permissions.', cause: error });
  }
}

/** With forward slashes, as annotations want it; a file outside the repository keeps its absolute path. */
function repositoryPath(root: string, path: string): string {
  const inside = relative(root, path);
  return (inside.startsWith('..') || isAbsolute(inside) ? path : inside).split(sep).join('/');
}

function readProject(root: YamlMap, directory: string, file: string): Project {
  const result = prefectYaml.safeParse(toPlain(root));
  const findings: StepFindings = { problems: [], warnings: [] };
  if (!result.success) findings.problems.push(...toProblems(result.error.issues, root));
  findings.problems.push(...nonTextKeys(root));

  const deployments = itemsOf(child(root, 'deployments'));
  const steps = PHASES.map((phase) => readStepList(root, phase, '', findings));
  const entries = deployments.map((node, index) => {
    const subject = `deployment ${nameOf(node) ?? `#${index + 1}`}`;
    const lists = PHASES.map((phase): StepList => {
      return node.kind === 'map' ? readStepList(node, phase, subject, findings) : { kind: 'absent' };
    });
    return { node, subject, lists };
  });
  findings.problems.push(...repeatedPools(root));
  throwIfAny(findings.problems);
  if (!result.success) throw result.error;

  const [build, push, pull] = threeOf(steps);
  return {
    directory,
    file,
    name: result.data.name ?? undefined,
    build,
    push,
    pull,
    entries: (result.data.deployments ?? []).flatMap((fields, index) => {
      const entry = entries[index];
      if (entry === undefined) return [];
      warnOfTextTags(fields, entry.node, entry.subject, findings);
      return [entryOf(fields, entry.node, entry.lists)];
    }),
    workPools: (result.data.work_pools ?? []).flatMap((fields, index) => {
      const node = itemsOf(child(root, 'work_pools'))[index];
      return node === undefined ? [] : [workPoolOf(fields, node)];
    }),
    warnings: findings.warnings,
  };
}

function itemsOf(node: YamlNode | undefined): YamlList['items'] {
  return node?.kind === 'list' ? node.items : [];
}

function nameOf(node: YamlNode): string | undefined {
  const name = child(node, 'name');
  return name?.kind === 'scalar' && name.source !== '' ? name.source : undefined;
}

function threeOf(lists: readonly StepList[]): [StepList, StepList, StepList] {
  const none: StepList = { kind: 'absent' };
  return [lists[0] ?? none, lists[1] ?? none, lists[2] ?? none];
}

/** Keys whose null means the same as their absence (design.md, difference 6). */
const NULL_IS_ABSENT = ['tags', 'parameters', 'work_pool'];
/** Keys that have a place of their own in Entry; the flow's name comes from the flow alone. */
const NOT_SETTINGS = ['name', 'entrypoint', 'flow_name'];

function entryOf(fields: DeploymentFields, node: YamlNode, lists: readonly StepList[]): Entry {
  const [build, push, pull] = threeOf(lists);
  const settings: JsonObject = {};
  for (const [key, value] of Object.entries(fields)) {
    if (value === undefined || NOT_SETTINGS.includes(key)) continue;
    if (value === null && NULL_IS_ABSENT.includes(key)) continue;
    settings[key] = key === 'work_pool' ? withoutNullVariables(value as JsonObject) : (value as JsonObject[string]);
  }
  return {
    name: fields.name ?? undefined,
    entrypoint: fields.entrypoint ?? undefined,
    build,
    push,
    pull,
    settings,
    where: node.where,
    positions: positionsOf(node),
  };
}

function withoutNullVariables(pool: JsonObject): JsonObject {
  const { job_variables, ...rest } = pool;
  return job_variables === undefined || job_variables === null ? rest : pool;
}

function warnOfTextTags(fields: DeploymentFields, node: YamlNode, subject: string, findings: StepFindings): void {
  const { tags } = fields;
  const where = child(node, 'tags')?.where;
  if (typeof tags !== 'string' || where === undefined || findPlaceholders(tags).length > 0) return;
  findings.warnings.push({
    message: `${subject}: tags is one text, which Prefect splits into single characters; write a list: tags: [${tags}]`,
    where,
  });
}

function workPoolOf(fields: WorkPoolFields, node: YamlNode): WorkPoolEntry {
  const { base_job_template: template, name, type, ...rest } = fields;
  const where = child(node, 'base_job_template')?.where ?? node.where;
  const source =
    template === undefined
      ? {}
      : {
          base_job_template:
            typeof template !== 'string'
              ? ({ kind: 'inline', template } as const)
              : template === 'default'
                ? ({ kind: 'default' } as const)
                : ({ kind: 'file', path: template, where } as const),
        };
  return { ...rest, ...source, name, type, where: node.where, positions: positionsOf(node) };
}

function repeatedPools(root: YamlMap): Problem[] {
  const seen = new Set<string>();
  return itemsOf(child(root, 'work_pools')).flatMap((node) => {
    const name = nameOf(node);
    if (name === undefined || !seen.has(name)) {
      if (name !== undefined) seen.add(name);
      return [];
    }
    return new Problem(`the work pool ${name} is described twice`, {
      remedy: 'Keep one item for each work pool.',
      where: node.where,
    });
  });
}
