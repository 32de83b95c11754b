import { readFileSync } from 'node:fs';
import { type JsonObject, parseJson, sameJson } from '@slipway/prefect/json';
import { describe, expect, it } from 'vitest';
import * as z from 'zod';
import { readFlow } from '../flow/index.ts';
import { memoryFiles } from '../flow/memory-files.ts';
import type { Head, Revision } from '../source/model.ts';
import { prepared } from '../steps/testing-prepare.ts';
import { configure } from './configuration.ts';
import { desiredDeployments } from './desired.ts';

const text = (name: string) => readFileSync(new URL(`fixtures/wire/${name}`, import.meta.url), 'utf8');
const mapping = z.custom<JsonObject>((value) => typeof value === 'object' && value !== null);
const Update = z.object({ blocks: z.record(z.string(), mapping), variables: mapping, patch: mapping });
const wire = z.object({ templating: Update, basic: Update }).parse(parseJson(text('updates.json')));

function revisionOf(head: Head | undefined): Revision {
  return {
    sha: head?.sha,
    shortSha: head?.shortSha,
    branch: head?.branch,
    refName: undefined,
    dirty: false,
    committedAt: head?.committedAt,
    message: head?.message,
    repositoryUrl: undefined,
    repository: undefined,
    origin: 'HEAD',
    ...(head === undefined ? {} : { head }),
  };
}

/** What the only deployment of a prefect.yaml comes to, its steps run for real, in a world with these blocks. */
async function fieldsOf(
  yaml: string,
  { blocks, variables }: z.infer<typeof Update>,
  circumstances: { readonly env: Readonly<Record<string, string>>; readonly head?: Head },
): Promise<JsonObject> {
  const { env } = circumstances;
  const readers = {
    readBlockDocument: async (type: string, name: string) => blocks[`${type}/${name}`],
    readBlockDocumentById: async () => undefined,
    readVariable: async (name: string) => variables[name],
  };
  const { entries, context } = await prepared(yaml, { env, readers });
  const configurations = await configure(context.project.entries, {
    readers,
    env,
    onSecret: () => undefined,
    defaultWorkPoolName: undefined,
  });
  const files = memoryFiles({ '/r/flows.py': text('flows.py') });
  const ready = await Promise.all(
    configurations.map(async (configuration, index) => {
      const one = entries[index];
      if (one === undefined) throw new Error('not prepared');
      const flow = await readFlow(configuration.entrypoint, { directory: '/r', files });
      return { configuration, flow, prepared: one, pull: (one.pull ?? []).map((step) => step.raw) };
    }),
  );
  const [deployment] = desiredDeployments(ready, { env, revision: revisionOf(circumstances.head) });
  if (deployment === undefined) throw new Error('no deployment');
  const { tags, pull_steps, ...fields } = deployment.fields;
  return { ...fields, tags: [...tags], pull_steps: [...pull_steps] };
}

/** What Prefect's CLI really sent, but for the fields that are only sent here when they are written (difference 6). */
function asWritten({ paused: _paused, concurrency_limit: _limit, concurrency_options: _options, ...rest }: JsonObject) {
  return rest;
}

function expectSame(ours: JsonObject, theirs: JsonObject): void {
  for (const key of new Set([...Object.keys(ours), ...Object.keys(theirs)])) {
    expect(sameJson(ours[key], theirs[key]), JSON.stringify({ key, ours: ours[key], theirs: theirs[key] })).toBe(true);
  }
}

describe('what Prefect’s CLI sends for the same file and flows', () => {
  it('is what is sent: every kind of placeholder in every place', async () => {
    const env = { MYVAR: 'my val', NUM: '42', POOL: 'pool1', HOME: '/root', PATH: process.env.PATH ?? '' };
    const ours = await fieldsOf(text('templating.prefect.yaml'), wire.templating, { env });
    // Difference 5: Prefect loses the item of a list that is one placeholder of a step's output.
    expect(wire.templating.patch.tags).toEqual(['x-hello', 'lit']);
    expectSame(ours, { ...asWritten(wire.templating.patch), tags: ['abc123', 'x-hello', 'lit'] });
  });

  it('is what is sent: a flow of a git repository', async () => {
    const pull = JSON.stringify(wire.basic.patch.pull_steps);
    const yaml = `pull: ${pull}\ndeployments: [{name: d1, entrypoint: "flows.py:my_flow", work_pool: {name: pool1}}]`;
    const head = {
      sha: 'f3d46cafb79c7a24dab53250712389b97da237fc',
      shortSha: 'f3d46ca',
      branch: 'master',
      committedAt: 1_700_000_000,
      message: 'first commit',
      remoteUrl: 'https://github.com/acme/demo.git',
      changed: [],
    };
    const ours = await fieldsOf(yaml, wire.basic, { env: { PATH: process.env.PATH ?? '' }, head });
    expectSame(ours, asWritten(wire.basic.patch));
  });
});
