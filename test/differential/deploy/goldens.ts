import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { isJsonObject, parseJson } from '@slipway/prefect/json';
import { z } from 'zod';
import { PREFECT_REQUIREMENTS } from '../../rig/builds/prefect-environment.ts';
import type { Recording } from './deploy-project.ts';
import { GOLDEN, hashOf, type Project, STAGES } from './project.ts';
import { canonical, type Snapshot } from './snapshot.ts';

/**
 * What Prefect's CLI left on the server, kept in the project's folder under a key of everything that decides it: the
 * lock file, the project, and the code that records.
 */
const snapshot = z.custom<Snapshot>(isJsonObject);
const Golden = z.strictObject({ key: z.string(), first: snapshot, again: snapshot, changed: snapshot });

const GENERATORS = ['deploy-project', 'materials', 'prefect-side', 'project', 'request', 'snapshot'].map(
  (name) => `${name}.ts`,
);

function keyOf(project: Project): string {
  const hash = createHash('sha256').update(readFileSync(PREFECT_REQUIREMENTS));
  for (const name of [...GENERATORS, 'prefect_cli.py']) hash.update(readFileSync(join(import.meta.dirname, name)));
  return hash.update(hashOf(project)).digest('hex');
}

/** @returns undefined when there is none, or it is of something else. */
export function readGolden(project: Project): Recording | undefined {
  const file = join(project.folder, GOLDEN);
  if (!existsSync(file)) return undefined;
  const { key, ...recording } = Golden.parse(parseJson(readFileSync(file, 'utf8')));
  return key === keyOf(project) ? recording : undefined;
}

export function writeGolden(project: Project, recording: Recording): void {
  const lines = STAGES.map((stage) => ` ${JSON.stringify(stage)}: ${canonical(recording[stage])}`);
  writeFileSync(join(project.folder, GOLDEN), `{\n "key": "${keyOf(project)}",\n${lines.join(',\n')}\n}\n`);
}
