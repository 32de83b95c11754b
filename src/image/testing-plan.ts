import type { ImagePlan } from './model.ts';

/** A small plan for tests, with what a case wants different. */
export function somePlan(different: Partial<ImagePlan> = {}): ImagePlan {
  return {
    repository: 'localhost:5000/hello',
    tags: ['f3d46caf'],
    context: '/srv/project',
    dockerfile: { kind: 'file', path: '/srv/project/Dockerfile' },
    platforms: [],
    target: undefined,
    buildArgs: {},
    labels: {},
    cacheFrom: [],
    cacheTo: [],
    noCache: false,
    pull: false,
    network: undefined,
    addHosts: [],
    secrets: [],
    secretEnv: {},
    ssh: [],
    buildContexts: {},
    allow: [],
    shmSize: undefined,
    provenance: undefined,
    sbom: undefined,
    builder: undefined,
    sourceDateEpoch: undefined,
    push: true,
    where: { file: 'prefect.yaml', line: 4, column: 3 },
    ...different,
  };
}
