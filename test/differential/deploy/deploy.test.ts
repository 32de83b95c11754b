import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { compareRecordings, tellDifference } from './compare.ts';
import { deployProject, parentOf } from './deploy-project.ts';
import { judge, seenNowhere, type Verdict } from './deviations.ts';
import { readGolden } from './goldens.ts';
import { makeMaterials } from './materials.ts';
import { readProjects } from './project.ts';
import { serverAt } from './server.ts';
import { actionSide } from './sides.ts';

const RECORD = 'npm run test:differential -- --goldens';

/** A dozen of the projects, beside what Prefect's CLI left on a server when it was asked; all: `npm run test:differential`. */
describe('a project deployed by the action leaves what Prefect’s CLI leaves, but for the listed deviations', () => {
  const rig = inject('rig');
  const server = serverAt(rig.prefectApiUrl, AbortSignal.timeout(600_000));
  const verdicts: Verdict[] = [];
  let folder: string;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'slipway-differential-'));
    await makeMaterials(server);
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  const projects = readProjects().filter(({ inTests }) => inTests);

  it.each(
    projects.map((project) => [project.name, project.about, project] as const),
  )('%s: %s', async (_, __, project) => {
    const golden = readGolden(project);
    if (golden === undefined) throw new Error(`what is kept is not of this project or code: ${RECORD} ${project.name}`);
    const side = actionSide({ folder: rig.prefectEnvironment });
    const { recording, logs } = await deployProject(project, side, server, parentOf(folder, project, 'action'));
    const verdict = judge(project, compareRecordings(project.name, golden, recording));
    expect(verdict.unexplained.map(tellDifference), Object.values(logs).join('\n')).toEqual([]);
    expect(verdict.unseen, 'deviations that are not seen any more').toEqual([]);
    verdicts.push(verdict);
  });

  it('the deviations that may be anywhere are seen somewhere', () => {
    expect(seenNowhere(verdicts)).toEqual([]);
  });
});
