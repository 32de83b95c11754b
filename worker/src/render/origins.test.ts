import { DeploymentRecord, FlowRunRecord } from '@slipway/prefect/client';
import type { JsonObject } from '@slipway/prefect/json';
import { defaultKubernetesTemplate } from '@slipway/prefect/workpool';
import { describe, expect, it } from 'vitest';
import { applyJsonPatch } from '../../../prefect/workpool/patch.ts';
import { claimId } from '../ids.ts';
import { type JobSettings, makeJob } from './make-job.ts';
import { originsOf, originText } from './origins.ts';

const settings: JobSettings = {
  env: { PREFECT_API_URL: 'http://api', TEAM: 'data' },
  cloud: false,
  defaultImage: 'prefect:3',
  apiKeySecret: undefined,
  authStringSecret: undefined,
  envSecret: false,
};

/** `<pointer>: <origins>` of every leaf. */
async function origins(deployment: JsonObject, run: JsonObject = {}, patch: readonly JsonObject[] = []) {
  const patched = applyJsonPatch(defaultKubernetesTemplate, patch);
  if (!patched.ok) throw new Error(patched.failure.message);
  const template = patched.document as JsonObject;
  const context = {
    run: FlowRunRecord.parse({ id: 'r', name: 'bee', flow_id: 'f', job_variables: run }),
    flow: { id: 'f', name: 'flow', tags: [] },
    deployment: DeploymentRecord.parse({ id: 'd', name: 'dep', flow_id: 'f', job_variables: deployment }),
    pool: { id: 'p', name: 'pool' },
    workerName: 'w',
  };
  const readers = {
    readBlockDocument: async () => ({ value: { a: '1', b: '2' } }),
    readBlockDocumentById: async () => undefined,
    readVariable: async () => 'v',
  };
  const job = await makeJob(template, context, claimId('s'), settings, readers);
  const leaves = originsOf(job, template, context, settings);
  const spec = job.body.spec as { template: { spec: { containers: { env: { name: string }[] }[] } } };
  const env = spec.template.spec.containers[0]?.env ?? [];
  const named = (path: readonly (string | number)[]) =>
    path
      .map((step, at) => (path[at - 1] === 'env' && typeof step === 'number' ? (env[step]?.name ?? '') : step))
      .join('/');
  return Object.fromEntries(leaves.map(({ path, origins: of }) => [named(path), of.map(originText).join(' + ')]));
}
const CONTAINER = 'spec/template/spec/containers/0';
const MANIFEST = '/job_configuration/job_manifest';

describe('every leaf of a Job says where it comes from', () => {
  it('template, its defaults, and what the worker makes itself', async () => {
    expect(await origins({})).toMatchObject({
      apiVersion: 'template',
      'metadata/name': 'slipway',
      'metadata/namespace': 'default: namespace',
      'metadata/labels/prefect.io/flow-run-id': 'slipway',
      'spec/backoffLimit': 'default: backoff_limit',
      [`${CONTAINER}/name`]: 'template',
      [`${CONTAINER}/image`]: 'worker: SLIPWAY_WORKER_DEFAULT_IMAGE',
      [`${CONTAINER}/imagePullPolicy`]: 'default: image_pull_policy',
      [`${CONTAINER}/args/0`]: 'slipway',
      [`${CONTAINER}/env/PREFECT_API_URL/value`]: 'worker: PREFECT_API_URL',
      [`${CONTAINER}/env/PREFECT__FLOW_ID/value`]: 'slipway',
    });
  });

  it('job variables of deployment and run', async () => {
    const found = await origins(
      {
        image: 'x:1',
        env: { A: '1', B: '1', PREFECT_API_URL: 'u' },
        labels: { 'my team': 't' },
        name: 'n',
        finished_job_ttl: 0,
      },
      { env: { B: '2' }, 'env.C': '3', command: 'python -m x', annotations: { note: 'n' } },
    );
    expect(found).toMatchObject({
      'metadata/name': 'slipway + deployment: name',
      'metadata/labels/my-team': 'deployment: labels.my team',
      'spec/template/metadata/labels/my-team': 'deployment: labels.my team',
      'metadata/annotations/note': 'run: annotations.note',
      'spec/template/metadata/annotations/note': 'run: annotations.note',
      'spec/ttlSecondsAfterFinished': 'deployment: finished_job_ttl',
      [`${CONTAINER}/image`]: 'deployment: image',
      [`${CONTAINER}/args/2`]: 'run: command',
      [`${CONTAINER}/env/A/value`]: 'deployment: env.A',
      [`${CONTAINER}/env/B/value`]: 'run: env.B',
      [`${CONTAINER}/env/C/value`]: 'run: env.C',
      [`${CONTAINER}/env/PREFECT_API_URL/value`]: 'deployment: env.PREFECT_API_URL',
    });
  });

  it('what a template has beyond the default one', async () => {
    const found = await origins({ pool_name: 'p', size: 'big' }, {}, [
      {
        op: 'add',
        path: `${MANIFEST}/spec/template/spec/nodeSelector`,
        value: { pool: '{{ pool_name }}-{{ size }}', zone: 'a' },
      },
      { op: 'add', path: `${MANIFEST}/spec/template/spec/containers/0/env`, value: [{ name: 'HARD', value: 'h' }] },
      { op: 'add', path: `${MANIFEST}/metadata/labels`, value: { own: 'l' } },
      { op: 'add', path: `${MANIFEST}/spec/template/spec/hostname`, value: '{{ $TEAM }}' },
    ]);
    expect(found).toMatchObject({
      'spec/template/spec/nodeSelector/pool': 'deployment: pool_name + deployment: size',
      'spec/template/spec/nodeSelector/zone': 'template',
      'spec/template/spec/hostname': 'worker: TEAM',
      'metadata/labels/own': 'template',
      [`${CONTAINER}/env/HARD/value`]: 'template',
    });
  });

  it('what a block has come to, by what refers to it', async () => {
    const found = await origins({ env: '{{ prefect.blocks.json.env }}', labels: { a: '{{ prefect.variables.x }}' } });
    expect(found).toMatchObject({ 'metadata/labels/a': 'deployment: labels.a' });
    expect(found[`${CONTAINER}/env/a/value`]).toBe('deployment: env');
  });

  it('and none has no origin', async () => {
    const found = await origins({
      env: [
        { name: 'A', value: '1' },
        { name: 'S', valueFrom: { secretKeyRef: { name: 's', key: 'k' } } },
      ],
    });
    expect(Object.entries(found).filter(([, text]) => text === '')).toEqual([]);
    expect(found[`${CONTAINER}/env/A/value`]).toBe('deployment: env[0].name + deployment: env[0].value');
  });
});
