import { describe, expect, it } from 'vitest';
import { kubernetesKind, prefectKind } from './request-kinds.ts';

const ID = '0b1c2d3e-0000-4000-8000-000000000001';

describe('the kind of a request', () => {
  it.each([
    ['GET', `/api/deployments/${ID}`, 'GET /deployments/:id'],
    ['POST', `/api/flow_runs/${ID}/set_state`, 'POST /flow_runs/:id/set_state'],
    ['POST', '/api/work_pools/my-pool/get_scheduled_flow_runs', 'POST /work_pools/:name/get_scheduled_flow_runs'],
    ['POST', '/api/work_pools/filter?x=1', 'POST /work_pools/filter'],
    ['GET', '/api/deployments/name/flow/deployment', 'GET /deployments/name/:name'],
  ])('to Prefect: %s %s is %s', (method, url, kind) => expect(prefectKind(method, url)).toBe(kind));

  it.each([
    ['POST', '/apis/batch/v1/namespaces/team-a/jobs', 'POST /apis/batch/v1/namespaces/:namespace/jobs'],
    ['GET', '/apis/batch/v1/namespaces/team-a/jobs/run-1', 'GET /apis/batch/v1/namespaces/:namespace/jobs/:name'],
    ['GET', '/api/v1/pods?labelSelector=x', 'GET /api/v1/pods'],
    ['GET', '/api/v1/pods?labelSelector=x&watch=true', 'WATCH /api/v1/pods'],
    ['GET', '/api/v1', 'GET (discovery)'],
    ['GET', '/apis', 'GET (discovery)'],
    ['GET', '/apis/batch/v1', 'GET (discovery)'],
  ])('to Kubernetes: %s %s is %s', (method, url, kind) => expect(kubernetesKind(method, url)).toBe(kind));
});
