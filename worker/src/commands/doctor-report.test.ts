import { describe, expect, it } from 'vitest';
import {
  clockFinding,
  hasFailed,
  missingRoles,
  permissionFindings,
  permissionsFor,
  reportText,
} from './doctor-report.ts';

const none = { apiKey: false, env: false };
const lacking = (namespaces: readonly string[], secrets: typeof none, missing: readonly string[]) => {
  const asked = permissionsFor(namespaces, secrets);
  return { asked, missing: asked.filter(({ resource, verb }) => missing.includes(`${resource} ${verb}`)) };
};

describe('what a worker has to be permitted', () => {
  it.each([
    [none, undefined],
    [{ apiKey: true, env: false }, ['get', 'create', 'update']],
    [{ apiKey: true, env: true }, ['get', 'create', 'update', 'delete']],
  ])('with Secrets to be made %j', (secrets, verbs) => {
    const asked = permissionsFor(['flows'], secrets);
    const of = (resource: string) => asked.filter((one) => one.resource === resource).map(({ verb }) => verb);
    expect(of('jobs')).toEqual(['create', 'get', 'list', 'watch', 'delete']);
    expect(of('pods')).toEqual(['get', 'list', 'watch']);
    expect(of('secrets')).toEqual(verbs ?? []);
  });

  it('is asked for each namespace', () => {
    expect(new Set(permissionsFor(['a', 'b'], none).map(({ namespace }) => namespace))).toEqual(new Set(['a', 'b']));
  });
});

describe('what lacks', () => {
  it('is told with what it is for, and fails when the worker cannot do without', () => {
    const { asked, missing } = lacking(['flows'], none, ['jobs create', 'events list', 'events watch']);
    const findings = permissionFindings(asked, missing);
    expect(findings).toContainEqual({
      status: 'fail',
      check: 'permissions',
      detail: 'jobs in namespace flows: not permitted: create (runs become Jobs)',
    });
    expect(findings).toContainEqual({
      status: 'warn',
      check: 'permissions',
      detail: 'events in namespace flows: not permitted: list, watch (why a Job gets no pod can be told)',
    });
    expect(findings).toContainEqual({
      status: 'ok',
      check: 'permissions',
      detail: 'pods in namespace flows: get, list, watch',
    });
    expect(hasFailed({ findings, missing })).toBe(true);
  });

  it('is a Role for each namespace', () => {
    const { missing } = lacking(['a', 'b'], none, ['jobs create', 'jobs delete', 'pods/log get']);
    const role = (namespace: string) => `apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata:
  name: slipway-worker
  namespace: ${namespace}
rules:
  - apiGroups:
      - batch
    resources:
      - jobs
    verbs:
      - create
      - delete
  - apiGroups:
      - ""
    resources:
      - pods/log
    verbs:
      - get
`;
    expect(missingRoles(missing)).toBe(`${role('a')}---\n${role('b')}`);
    expect(reportText({ findings: [], missing })).toContain('What the worker’s Role lacks:');
  });

  it('is nothing when all is well', () => {
    const asked = permissionsFor(['a'], none);
    const findings = permissionFindings(asked, []);
    expect(hasFailed({ findings, missing: [] })).toBe(false);
    expect(reportText({ findings, missing: [] })).toMatch(/^ok {3}permissions: jobs in namespace a: create, get/);
  });
});

describe('clocks', () => {
  const now = Date.parse('2026-11-24T12:00:00Z');
  it.each([
    ['Tue, 24 Nov 2026 11:59:58 GMT', 'ok', 'S agrees'],
    ['Tue, 24 Nov 2026 11:59:50 GMT', 'warn', 'S is 10 s behind this clock'],
    ['Tue, 24 Nov 2026 12:10:00 GMT', 'fail', 'S is 600 s ahead of this clock'],
    [undefined, 'note', 'S does not tell its time'],
    ['', 'note', 'S does not tell its time'],
  ])('%s → %s', (date, status, text) => {
    expect(clockFinding('S', date, now)).toMatchObject({ status, detail: expect.stringContaining(text) });
  });
});
