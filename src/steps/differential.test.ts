import { readFileSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { isJsonObject, type Json, type JsonObject, parseJson } from '@slipway/prefect/json';
import type { ReferenceReaders } from '@slipway/prefect/template';
import { describe, expect, it } from 'vitest';
import { problemsOf } from '../problem.ts';
import { ofSteps, prepared } from './testing-prepare.ts';
import { clonesIn, GIT_ENVIRONMENT, makeRepositories, Repositories } from './testing-repositories.ts';
import type { TestContext } from './testing-run.ts';
import { makeDirectory } from './testing-run.ts';

/** Cases that are refused on purpose, though Prefect runs them: what is said, and why. */
const DEVIATIONS: Readonly<Record<string, { readonly saying: string; readonly because: string }>> = {
  'git_clone: an address with .git and a slash': {
    saying: 'would clone into no directory of its own',
    because: 'Prefect makes the project itself a clone of it, over the files that are there',
  },
};

interface Case {
  readonly name: string;
  readonly steps: JsonObject;
  readonly deployments: number;
  readonly files: readonly (readonly [string, string])[];
  readonly env: Readonly<Record<string, string>>;
  readonly repositories: Repositories | undefined;
  /** Documents by `type/name` or id, and variables by name: what the server has. */
  readonly blocks: JsonObject;
  readonly variables: JsonObject;
  /** What Prefect makes of it. */
  readonly expected: JsonObject;
}

function read(file: string): JsonObject[] {
  const content = parseJson(readFileSync(new URL(`./fixtures/${file}`, import.meta.url), 'utf8'));
  return Array.isArray(content) ? content.filter(isJsonObject) : [];
}

const outcomes = new Map(read('steps.json').map((outcome) => [outcome.name, outcome]));
const cases = read('steps-cases.json').map((item): Case => {
  const { name, build = [], push = [], deployments = 1, files = {}, env = {}, repositories } = item;
  return {
    name: String(name),
    steps: { build, push },
    deployments: Number(deployments),
    files: texts(files),
    env: Object.fromEntries(texts(env)),
    repositories: repositories === undefined ? undefined : Repositories.parse(repositories),
    blocks: isJsonObject(item.blocks) ? item.blocks : {},
    variables: isJsonObject(item.variables) ? item.variables : {},
    expected: outcomes.get(name ?? '') ?? {},
  };
});

function texts(mapping: Json): [string, string][] {
  return Object.entries(mapping ?? {}).map(([key, value]) => [key, String(value)]);
}

/** A server that has the blocks and variables of a case. */
function readersOf({ blocks, variables }: Case): ReferenceReaders {
  const block = async (key: string): Promise<JsonObject | undefined> => {
    const data = blocks[key];
    return isJsonObject(data) ? data : undefined;
  };
  return {
    readBlockDocument: (type, name) => block(`${type}/${name}`),
    readBlockDocumentById: block,
    readVariable: async (name) => variables[name],
  };
}

async function ours(one: Case) {
  const { steps, deployments, files, env, repositories } = one;
  const directory = join(await makeDirectory(), 'project');
  await mkdir(directory);
  for (const [name, text] of files) {
    await mkdir(dirname(join(directory, name)), { recursive: true });
    await writeFile(join(directory, name), text);
  }
  const entries = Array.from({ length: deployments }, (_, index) => ({ name: `d${index}` }));
  const names = await makeRepositories(join(directory, '../repos'), repositories ?? {});
  let text = JSON.stringify({ ...steps, deployments: entries });
  for (const [name, meant] of names) text = text.replaceAll(name, meant);
  const thrown = { problem: undefined as string | undefined };
  const result = await prepared(text, {
    directory,
    env: repositories === undefined ? env : { ...env, ...GIT_ENVIRONMENT },
    readers: readersOf(one),
    dockerNamespace: env.PREFECT_DEFAULT_DOCKER_BUILD_NAMESPACE,
  }).catch((error: unknown) => {
    const problems = problemsOf(error);
    if (problems === undefined) throw error;
    thrown.problem = problems.map(({ message }) => message).join('\n');
  });
  const clones = repositories && (await clonesIn(directory));
  if (result === undefined) return { problem: thrown.problem, clones };
  const outputs = result.entries.map(({ outputs }) => ofSteps(outputs));
  return { outputs: plain(outputs, directory), docker: askedOfOurs(result.context, directory), clones };
}

const TIME_TAG = /\d{4}-\d\d-\d\dt\d\d-\d\d-\d\d(?:-\d{6})?-00-00/g;

/** Without what no two runs share: the directory, times, and the id of an image. */
function plain(outputs: Json | undefined, directory: string): unknown {
  const text = JSON.stringify(outputs).replaceAll(directory, 'PROJECT').replace(TIME_TAG, 'TIME');
  return JSON.parse(text.replace(/"image_id":"[^"]*"/g, '"image_id":""'));
}

interface Asked {
  /** Context, Dockerfile, platforms and pull of each build. */
  readonly builds: readonly object[];
  readonly pushed: readonly string[];
}

function askedOfOurs({ builds }: TestContext, directory: string): Asked {
  return {
    builds: builds.map(({ plan }) => ({
      context: plan.context.replace(directory, 'PROJECT'),
      dockerfile: plan.dockerfile.kind === 'file' ? plan.dockerfile.path.replace(`${plan.context}/`, '') : 'Dockerfile',
      pull: plan.pull,
      platforms: plan.platforms,
    })),
    pushed: sorted(
      builds.flatMap(({ plan }) =>
        plan.push ? plan.tags.map((tag) => `${plan.repository}:${tag.replace(TIME_TAG, 'TIME')}`) : [],
      ),
    ),
  };
}

function askedOfDocker(docker: Json | undefined): Asked {
  const asked = Array.isArray(docker) ? docker.filter(isJsonObject) : [];
  const built = asked.filter(({ builds }) => builds === true);
  const allTags = built.flatMap(({ tags }) => (Array.isArray(tags) ? tags : []));
  return {
    builds: built.map(({ options }) => {
      const { path, dockerfile, pull, platform = null, platforms = null } = isJsonObject(options) ? options : {};
      const context = resolve('/PROJECT', String(path).replace(/^PROJECT/, '/PROJECT')).slice(1);
      return { context, dockerfile, pull, platforms: platforms ?? (platform === null ? [] : [platform]) };
    }),
    // Without a tag docker-py pushes every tag of the repository there is.
    pushed: sorted(
      asked.flatMap(({ pushes, push, repository, tag = null }) => {
        const name = push === true ? repository : pushes;
        return name === undefined
          ? []
          : (tag === null ? allTags : [tag]).map((one) => `${String(name)}:${String(one)}`);
      }),
    ),
  };
}

function sorted(names: readonly string[]): string[] {
  return [...new Set(names)].sort();
}

describe('steps as prefect 3.8.8 and prefect-docker 0.7.4 run them', () => {
  it('are compared in all their cases', () => {
    expect(outcomes.size).toBe(cases.length);
    expect(cases.length).toBeGreaterThan(130);
    expect(Object.keys(DEVIATIONS).filter((name) => !outcomes.has(name))).toEqual([]);
  });

  it.each(cases)('$name', async (one) => {
    const result = await ours(one);
    const deviation = DEVIATIONS[one.name];
    if (deviation !== undefined) {
      expect(one.expected.error, deviation.because).toBeUndefined();
      expect(result.problem).toContain(deviation.saying);
      return;
    }
    if (one.expected.clones !== undefined) expect(result.clones).toEqual(one.expected.clones);
    if (one.expected.error !== undefined) {
      expect(result.problem, String(one.expected.error)).toBeTypeOf('string');
      return;
    }
    expect(result.outputs).toEqual(plain(one.expected.outputs, '/none'));
    if (one.expected.docker !== undefined) expect(result.docker).toEqual(askedOfDocker(one.expected.docker));
  });
});
