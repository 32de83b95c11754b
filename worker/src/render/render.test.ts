import { readFileSync } from 'node:fs';
import { DeploymentRecord, FlowRecord, FlowRunRecord } from '@slipway/prefect/client';
import { isJsonObject, type Json, type JsonObject, parseJson } from '@slipway/prefect/json';
import { resolveReferences } from '@slipway/prefect/template';
import { defaultKubernetesTemplate, renderJobConfiguration } from '@slipway/prefect/workpool';
import { describe, expect, it } from 'vitest';
import * as z from 'zod';
import { claimId, flowRunId, jobNameSuffix } from '../ids.ts';
import { DEFAULT_IMAGE } from '../version.ts';
import { withLetters } from './letters.ts';
import { type JobManifest, render } from './render.ts';
import type { SecretSettings } from './secrets.ts';

const json = z.custom<Json>((value) => value !== undefined);
const object = z.custom<JsonObject>((value) => isJsonObject(value));
const Golden = z.object({
  env: z.record(z.string(), z.string()),
  pool: z.object({ id: z.string(), name: z.string() }),
  worker: z.string(),
  cases: z.array(
    z.object({
      about: z.string(),
      template: z.object({ job_configuration: object.optional(), defaults: z.record(z.string(), json).optional() }),
      deployment: DeploymentRecord,
      flow: FlowRecord,
      run: FlowRunRecord,
      namespace: z.string().optional(),
      manifest: object.optional(),
      error: z.string().optional(),
    }),
  ),
});
const golden = Golden.parse(parseJson(readFileSync(new URL('fixtures/manifests.json', import.meta.url), 'utf8')));
const state = claimId('0b1c2d3e-0000-4000-8000-000000000001');
const settings = {
  env: { ...golden.env, PREFECT_SERVER_EPHEMERAL_ENABLED: 'true' },
  cloud: false,
  defaultImage: DEFAULT_IMAGE,
  apiKeySecret: undefined,
  authStringSecret: undefined,
  envSecret: false,
};

type Case = (typeof golden.cases)[number];

/** The default template with what a case changes in it. */
function templateOf(changes: Case['template']): JsonObject {
  const variables = object.parse(defaultKubernetesTemplate.variables);
  const properties = { ...object.parse(variables.properties) };
  for (const [name, value] of Object.entries(changes.defaults ?? {})) {
    properties[name] = { ...(isJsonObject(properties[name]) ? properties[name] : {}), default: value };
  }
  return {
    job_configuration: changes.job_configuration ?? object.parse(defaultKubernetesTemplate.job_configuration),
    variables: { ...variables, properties },
  };
}

async function rendered(golden: Case, more: Partial<SecretSettings> = {}): Promise<JobManifest> {
  const { deployment, flow, run } = golden;
  const configuration = await resolveReferences(
    renderJobConfiguration({
      template: templateOf(golden.template),
      deploymentVariables: deployment.job_variables ?? null,
      runVariables: run.job_variables ?? null,
      env: settings.env,
    }),
    {
      readBlockDocument: async () => ({ value: 'block value' }),
      readBlockDocumentById: async () => undefined,
      readVariable: async () => 'variable:1',
    },
  );
  const context = { run, flow, deployment, pool: everything.pool, workerName: everything.worker };
  return await withLetters(() => render(object.parse(configuration), context, state, { ...settings, ...more }));
}
const everything = golden;

/** What our Job must be, given Python's: the same with our name in the place of its generateName. */
function expected(golden: Case, name: string): JsonObject {
  const { generateName: _, ...metadata } = object.parse(golden.manifest?.metadata);
  return { ...golden.manifest, metadata: { ...metadata, name } };
}

/** Labels that Kubernetes would refuse in Python's Job. */
function withValidNames(manifest: JsonObject): JsonObject {
  const text = JSON.stringify(manifest).replace(
    /("prefect\.io\/[a-z-]*name"|"app[^"]*name"):"[?!…]+"/gu,
    '$1:"unnamed"',
  );
  return object.parse(parseJson(text));
}

const made = golden.cases.filter((each) => each.manifest !== undefined);
const refused = golden.cases.filter((each) => each.error !== undefined);
const find = (about: string) => {
  const found = golden.cases.find((each) => each.about === about);
  if (found === undefined) throw new Error(`no golden "${about}"`);
  return found;
};

describe('the Job of a run is the Job that Prefect 3.8.8 makes', () => {
  it.each(made.map((each) => [each.about, each] as const))('%s', async (_about, each) => {
    const job = await rendered(each);
    const suffix = jobNameSuffix(flowRunId(each.run.id), state);
    expect(job.name.endsWith(`-${suffix}`)).toBe(true);
    expect(job.namespace).toBe(each.namespace);
    expect(JSON.parse(JSON.stringify(job.body))).toEqual(
      JSON.parse(JSON.stringify(withValidNames(expected(each, job.name)))),
    );
  });

  it('keeps the order of environment variables, labels and args, and the spelling of numbers', async () => {
    const each = find('sidecar and unknown fields');
    const text = JSON.stringify((await rendered(each)).body);
    expect(text).toContain('"newField":{"x":1.0}');
    expect(text).toContain('"futureField":12345678901234567890');
    const job = await rendered(find('appendix A'));
    expect(JSON.stringify(job.body.spec)).toBe(JSON.stringify(find('appendix A').manifest?.spec));
  });
});

describe('what Prefect refuses is refused', () => {
  const ours: Readonly<Record<string, string>> = {
    'env null': '"env" is null, but must be a mapping of names to values, or a list of entries.',
    'env text': '"env" is a text, but must be a mapping of names to values, or a list of entries.',
    'labels of numbers': '"labels.a" is a number, but must be a text. Write it in quotes.',
    'command list': '"command" is a list, but must be a text.',
    'command with open quote': "The command a 'b cannot be split into words: No closing quotation.",
    'namespace null': '"namespace" is null, but must be a text.',
    'manifest absent': 'The work pool’s template has no "job_manifest", or it is not a mapping.',
  };
  const neverUsed = new Set(['stream_output list', 'pod_watch_timeout_seconds null']);

  it.each(
    refused.filter((each) => !neverUsed.has(each.about)).map((each) => [each.about, each] as const),
  )('%s', async (about, each) => {
    const theirs = /(?:Value error, |ValueError: )(.*?)(?: \[type=value_error|$)/s.exec(each.error ?? '')?.[1];
    const error = await rendered(each).catch((cause: unknown) => cause);
    expect(error).toMatchObject({ name: 'RenderError', message: ours[about] ?? theirs });
  });

  it('a field that Prefect checks and never uses does not crash a run', async () => {
    for (const about of neverUsed) expect((await rendered(find(about))).name).toMatch(/^amiable-labrador-/);
  });

  it.each([
    [[]],
    ['text'],
    [{ config: {} }],
    [{ context_name: 'x' }],
    [{ config: 1, context_name: 'x' }],
  ])('a cluster that is %j', async (cluster_config) => {
    const each = { ...find('nothing'), template: { defaults: { cluster_config } } };
    await expect(rendered(each)).rejects.toThrow('"cluster_config" must be a mapping with "config"');
  });
});

describe('a cluster of its own', () => {
  it.each<[Json, string]>([
    [{ clusters: [] }, '{"clusters":[]}'],
    ['clusters: []', 'clusters: []'],
  ])('comes with the Job: %j', async (config, kubeconfig) => {
    const template = { defaults: { cluster_config: { config, context_name: 'x', block_type: 'ignored' } } };
    const { cluster } = await rendered({ ...find('nothing'), template });
    expect(cluster).toEqual({ kubeconfig, contextName: 'x' });
  });

  it('is none where none is asked for', async () => {
    expect((await rendered(find('nothing'))).cluster).toBeUndefined();
  });
});

describe('the name of a Job', () => {
  it.each([
    ['nothing', 'amiable-labrador'],
    ['run name to be slugged', 'my-run-1'],
    ['run name of symbols', 'prefect-job'],
    ['long run name', 'a'.repeat(45)],
    ['name', 'my-job'],
    ['name from ctx', 'my-run-1-x'],
    ['name from ctx, flow', 'my-flow-9d063037-f5cd-4b83-95c1-a8b05c531c04'],
    ['name from ctx, parameter', 'n1'],
    ['name from ctx, missing alone', 'ctx-flow-run-missing'],
    ['name null', 'amiable-labrador'],
    ['name empty', 'amiable-labrador'],
    ['generateName hard', 'hard-name'],
    ['name hard', 'hard'],
  ])('%s → %s-…', async (about, prefix) => {
    const { name } = await rendered(find(about));
    expect(name.replace(/-[0-9a-f]{10}$/, '')).toBe(prefix);
    expect(name.length).toBeLessThanOrEqual(63);
  });

  it('is the same on every try and another for every reschedule and every run', () => {
    const run = flowRunId('9d063037-f5cd-4b83-95c1-a8b05c531c04');
    expect(jobNameSuffix(run, state)).toBe(jobNameSuffix(run, state));
    expect(jobNameSuffix(run, state)).not.toBe(jobNameSuffix(run, claimId('another')));
    expect(jobNameSuffix(run, state)).not.toBe(jobNameSuffix(flowRunId('another'), state));
  });
});

describe('credentials', () => {
  const secrets: Partial<SecretSettings> = {
    apiKeySecret: { kind: 'existing', secret: { name: 's', key: 'k' } },
    authStringSecret: { name: 'a', key: 'b' },
  };
  const envOf = (job: JobManifest) => {
    const Env = z.object({
      spec: z.object({
        template: z.object({ spec: z.object({ containers: z.array(z.object({ env: z.array(object) })) }) }),
      }),
    });
    return Env.parse(job.body).spec.template.spec.containers[0]?.env ?? [];
  };

  it('come from the named Secret, at the place of the value, which is nowhere else', async () => {
    const job = await rendered(find('nothing'), secrets);
    expect(envOf(job)[1]).toEqual({
      name: 'PREFECT_API_KEY',
      valueFrom: { secretKeyRef: { name: 's', key: 'k' } },
    });
    expect(JSON.stringify(job.body)).not.toContain('"value":"key"');
  });

  it('that the worker does not have are not added', async () => {
    const job = await rendered(find('env unsets injected'), secrets);
    expect(envOf(job).map((entry) => entry.name)).not.toContain('PREFECT_API_KEY');
    expect(envOf(job).map((entry) => entry.name)).not.toContain('PREFECT_API_AUTH_STRING');
  });
});

describe('a Secret that is made for the API key', () => {
  const made: Partial<SecretSettings> = { apiKeySecret: { kind: 'made' } };

  it('has the worker’s name, and holds its key', async () => {
    const { secrets } = await rendered(find('nothing'), made);
    expect(secrets).toEqual([
      {
        kind: 'api-key',
        name: 'prefect-tracer-api-key',
        body: expect.objectContaining({ data: { value: Buffer.from('key').toString('base64') } }),
      },
    ]);
  });

  it('is another one for a deployment that sets another key', async () => {
    const own = find('nothing');
    const deployment = { ...own.deployment, job_variables: { env: { PREFECT_API_KEY: 'theirs' } } };
    const { secrets, body } = await rendered({ ...own, deployment }, made);
    expect(secrets.map(({ name }) => name)).toEqual([expect.stringMatching(/^prefect-tracer-api-key-[0-9a-f]{8}$/)]);
    expect(JSON.stringify(body)).not.toContain('theirs');
  });
});

describe('names that Kubernetes would refuse as labels', () => {
  it('become valid, and the log is told', async () => {
    const { notes } = await rendered(find('names of symbols'));
    expect(notes).toContain('label prefect.io/flow-name cannot hold "!!!"; it says "unnamed" instead');
  });
});
