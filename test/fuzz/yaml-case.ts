import type { ReferenceReaders } from '@slipway/prefect/template';
import { defaultKubernetesTemplate } from '@slipway/prefect/workpool';
import { configure } from '../../src/deploy/configuration.ts';
import { desiredDeployments } from '../../src/deploy/desired.ts';
import { desiredWorkPools } from '../../src/deploy/desired-work-pools.ts';
import { diff } from '../../src/deploy/diff.ts';
import type { Actual } from '../../src/deploy/model.ts';
import { checkKnownParameters, checkParameters } from '../../src/deploy/parameters.ts';
import { pullSteps } from '../../src/deploy/pull-steps.ts';
import { scheduleWarnings } from '../../src/deploy/schedules/warnings.ts';
import { checkSlas, desiredSlas } from '../../src/deploy/slas.ts';
import { checkTriggerVariables } from '../../src/deploy/trigger-variables.ts';
import { checkTriggers, desiredAutomations } from '../../src/deploy/triggers.ts';
import { checkJobVariables, checkStatically } from '../../src/deploy/validate.ts';
import { planWorkPool } from '../../src/deploy/work-pool.ts';
import { type Flow, readFlow } from '../../src/flow/index.ts';
import { memoryFiles } from '../../src/flow/memory-files.ts';
import { throwIfAny } from '../../src/problem.ts';
import { loadProject } from '../../src/project/load.ts';
import { toJson } from '../../src/project/nodes.ts';
import { checkComplete, selectEntries } from '../../src/project/select.ts';
import { parseYaml } from '../../src/project/yaml.ts';
import { planItems } from '../../src/report/items.ts';
import { planLines } from '../../src/report/plan-text.ts';
import { someRevision } from '../../src/source/testing-revision.ts';
import { prepare } from '../../src/steps/prepare.ts';
import type { World } from '../../src/world.ts';
import { type Outcome, outcomeOf } from './outcome.ts';

const FLOW = `from prefect import flow

@flow
def load(limit: int = 1, table: str | None = None):
    """Loads."""

@flow(name="hello")
def hello(name: str = "Marvin"):
    pass
`;
const FLOW_FILES = { 'flows/load.py': FLOW, 'flows/hello.py': FLOW };

const readers: ReferenceReaders = {
  readBlockDocument: async (slug, name) => {
    return slug === 'secret' ? { value: name } : name === 'main' ? { username: 'ford', password: 'towel' } : undefined;
  },
  readBlockDocumentById: async () => undefined,
  readVariable: async (name) => (name === 'day' ? 'Thursday' : undefined),
};

/** A server with one work pool and no deployments. */
const SERVER: Actual = {
  workPools: new Map([
    [
      'k8s-prod',
      {
        pool: {
          ...{ id: '1', name: 'k8s-prod', type: 'kubernetes', is_paused: false },
          base_job_template: defaultKubernetesTemplate,
        },
        queues: [],
      },
    ],
  ]),
  defaultTemplates: new Map([['kubernetes', defaultKubernetesTemplate]]),
  deployments: new Map(),
  automations: [],
};

const revision = someRevision({ repositoryUrl: undefined, repository: undefined });

/** Takes one prefect.yaml as far as the action takes it without a server, as a plan: nothing runs. */
export async function runYamlCase(text: string): Promise<Outcome> {
  const files = { 'prefect.yaml': text };
  let yaml: string | undefined;
  try {
    const root = parseYaml(text, 'prefect.yaml');
    yaml = root === undefined ? 'null' : JSON.stringify(toJson(root));
    return { kind: 'result', words: await planOf(text), yaml };
  } catch (error) {
    const outcome = outcomeOf(error, { ...files, ...FLOW_FILES });
    return outcome.kind === 'defect' ? outcome : { ...outcome, yaml };
  }
}

async function planOf(text: string): Promise<string> {
  const world = worldOf({ 'prefect.yaml': text, ...FLOW_FILES });
  const { env, files } = world;
  const directory = '/repo';
  const project = await loadProject({ directory, prefectFile: 'prefect.yaml', files, repositoryRoot: directory });
  const names = project.entries.flatMap((entry) => (entry.name?.includes('/') === false ? [entry.name] : []));
  if (names.length === project.entries.length) selectEntries(project, names, () => undefined);
  const entries = selectEntries(project, [], () => undefined);
  throwIfAny(checkComplete(entries));
  const configurations = await configure(entries, {
    readers,
    env,
    onSecret: () => undefined,
    defaultWorkPoolName: 'p',
  });
  const flows: Flow[] = [];
  for (const { entry, entrypoint } of configurations) {
    flows.push(await readFlow(entrypoint, { directory, repository: directory, files, where: entry.where }));
  }
  const workPools = await desiredWorkPools(project, files);
  const planned = workPools.map((pool) => planWorkPool(pool, SERVER));
  throwIfAny([
    ...checkStatically(configurations, SERVER, planned),
    ...checkTriggers(configurations, true),
    ...checkSlas(configurations, true),
    ...(await checkKnownParameters(configurations, flows, async () => undefined)),
  ]);
  const prepared = await prepare(entries, {
    ...{
      world,
      project,
      revision,
      readers,
      mode: 'plan',
      programEnv: {},
      ownImage: undefined,
      baseImage: 'prefecthq/prefect:3-latest',
      builder: undefined,
      dockerNamespace: undefined,
    },
    buildImage: () => Promise.reject(new Error('a plan builds nothing')),
  });
  const ready = configurations.flatMap((configuration, index) => {
    const [flow, one] = [flows[index], prepared[index]];
    return flow === undefined || one === undefined
      ? []
      : [{ configuration, flow, prepared: one, pull: pullSteps(configuration, undefined, one, { project, world }) }];
  });
  const deployments = desiredDeployments(ready, { env, revision });
  const desired = {
    workPools,
    deployments,
    automations: desiredAutomations(ready, deployments, { env, cloud: true }),
    slas: desiredSlas(ready, deployments, env),
  };
  const plan = diff(desired, SERVER);
  throwIfAny([
    ...checkJobVariables(deployments, SERVER, plan.workPools),
    ...checkParameters(plan),
    ...checkTriggerVariables(desired.automations, SERVER, plan.workPools),
  ]);
  const warnings = scheduleWarnings(plan).map(({ message }) => message);
  return [...planLines(planItems(plan, (text) => text)), ...warnings].join('\n');
}

/** Files that exist, a git that answers, a log that nobody reads, and nothing that can be written. */
function worldOf(files: Readonly<Record<string, string>>): World {
  return {
    env: { PIP_INDEX_URL: 'https://pypi.example.com', TAG: '1', IMAGE_REPOSITORY: 'acme/hello', HOME: '/home/ford' },
    exec: async () => ({ exitCode: 0, stdout: '0123456\n', stderr: '' }),
    files: memoryFiles(Object.fromEntries(Object.entries(files).map(([path, text]) => [`/repo/${path}`, text]))),
    log: {
      info: () => undefined,
      debug: () => undefined,
      warning: () => undefined,
      group: (_title, body) => body(),
      mask: () => undefined,
      redact: (text) => text,
    },
    clock: { now: () => 0, sleep: () => Promise.resolve() },
    random: () => 0.5,
    signal: new AbortController().signal,
  };
}
