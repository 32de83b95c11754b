import { resolve } from 'node:path';
import { isJsonObject, type Json, type JsonObject } from '@slipway/prefect/json';
import { Problem } from '../problem.ts';
import type { Project, WorkPoolEntry } from '../project/model.ts';
import { toJson } from '../project/nodes.ts';
import { parseYaml } from '../project/yaml.ts';
import type { Files } from '../world.ts';
import type { DesiredWorkPool } from './model.ts';

/**
 * The work pools of prefect.yaml with the templates they bring along.
 *
 * @throws Problem when a template file is missing, is no JSON or YAML, or holds no mapping.
 */
export async function desiredWorkPools(project: Project, files: Pick<Files, 'readText'>): Promise<DesiredWorkPool[]> {
  return await Promise.all(
    project.workPools.map(async (entry) => ({
      name: entry.name,
      entry,
      template: await ownTemplate(entry, project, files),
    })),
  );
}

async function ownTemplate(
  entry: WorkPoolEntry,
  project: Project,
  files: Pick<Files, 'readText'>,
): Promise<JsonObject | undefined> {
  const source = entry.base_job_template;
  if (source === undefined || source.kind === 'default') return undefined;
  if (source.kind === 'inline') return source.template;
  let text: string;
  try {
    text = await files.readText(resolve(project.directory, source.path));
  } catch (cause) {
    throw new Problem(`work pool "${entry.name}": the base job template ${source.path} cannot be read`, {
      where: source.where,
      remedy: 'Correct the path; it is relative to the project’s directory.',
      cause,
    });
  }
  // JSON is YAML too, and a number keeps its spelling in both.
  const root = parseYaml(text, source.path);
  const template: Json = root === undefined ? null : toJson(root);
  if (isJsonObject(template)) return template;
  throw new Problem(`work pool "${entry.name}": the base job template ${source.path} is not a mapping`, {
    where: source.where,
    remedy: 'It has the two keys job_configuration and variables.',
  });
}
