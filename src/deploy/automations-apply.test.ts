import { AutomationRecord } from '@slipway/prefect/client';
import { describe, expect, it } from 'vitest';
import { automationBody, type DesiredAutomation, type PlannedAutomation } from './automation.ts';
import { applyAutomations } from './automations-apply.ts';
import { STAND_IN } from './automations-diff.ts';
import { deploymentName } from './model.ts';
import { type Received, type Reply, written } from './testing-server.ts';
import { triggerSpec } from './trigger-spec.ts';

const where = { file: 'prefect.yaml', line: 9, column: 3 };
const ID = '11111111-1111-4111-8111-111111111111';
const OWNED = `/automations/owned-by/prefect.deployment.${ID}`;

function wanted(name: string): DesiredAutomation {
  return { spec: triggerSpec.parse({ name, expect: ['x'] }), unknown: [], where };
}

function existing(name: string): AutomationRecord {
  const { owner_resource: _owner, ...body } = automationBody(wanted(name).spec, ID);
  return AutomationRecord.parse({ ...body, id: `old-${name}` });
}

const create = (name: string): PlannedAutomation => ({ action: 'create', name, desired: wanted(name) });
const keep = (name: string): PlannedAutomation => ({
  action: 'unchanged',
  name,
  desired: wanted(name),
  actual: existing(name),
});
const change = (name: string): PlannedAutomation =>
  ({ ...keep(name), action: 'change', changes: [] }) as PlannedAutomation;
const remove = (name: string): PlannedAutomation => ({ action: 'remove', name, actual: existing(name) });
const perhaps = (name: string): PlannedAutomation => ({ action: 'remove-if-owned', name, actual: existing(name) });

async function apply(
  automations: readonly PlannedAutomation[],
  reply: (request: Received, index: number) => Reply | undefined = () => undefined,
) {
  const planned = { deployment: deploymentName('f', 'd'), where, automations };
  const result = await written(
    (context) => applyAutomations(planned, ID, context),
    (request, index) =>
      request.path === '/automations/filter'
        ? (reply(request, index) ?? { status: 200, body: [] })
        : reply(request, index),
  );
  const calls = result.received.map(({ method, path, body }) => {
    const { name, owner_resource: owner } = (body ?? {}) as { name?: string; owner_resource?: string };
    return [method, path, name, owner === undefined ? undefined : 'owned']
      .filter((part) => part !== undefined)
      .join(' ');
  });
  return { ...result, calls };
}

describe('writing the automations of a deployment', () => {
  it('writes nothing when nothing has changed', async () => {
    expect((await apply([keep('a')])).calls).toEqual([]);
  });

  it('creates all that a new deployment wants', async () => {
    expect((await apply([create('a'), create('b')])).calls).toEqual([
      'POST /automations/ a owned',
      'POST /automations/ b owned',
    ]);
  });

  it('changes in place, and removes afterwards', async () => {
    expect((await apply([change('a'), keep('b'), remove('c')])).calls).toEqual([
      'PUT /automations/old-a a',
      'DELETE /automations/old-c',
    ]);
  });

  it('replaces all at once without a hole when one is new', async () => {
    const { calls } = await apply([keep('a'), create('b'), remove('c')]);
    expect(calls).toEqual([
      `POST /automations/ a${STAND_IN}`,
      `POST /automations/ b${STAND_IN}`,
      `DELETE ${OWNED}`,
      'POST /automations/ a owned',
      'DELETE /automations/id-1',
      'POST /automations/ b owned',
      'DELETE /automations/id-2',
      'DELETE /automations/old-c',
    ]);
  });

  it('lets the server decide what is not certain, and says what that came to', async () => {
    const { calls, logged } = await apply([perhaps('mine'), perhaps('yours')], ({ path }) =>
      path === '/automations/filter' ? { status: 200, body: [existing('yours')] } : undefined,
    );
    expect(calls).toEqual([`DELETE ${OWNED}`, 'POST /automations/filter']);
    expect(logged).toEqual(['removed automation mine of f/d']);
  });

  it('deletes nothing when the server refuses one of them', async () => {
    const { calls, failures } = await apply([keep('a'), create('b')], ({ body }) =>
      (body as { name?: string } | undefined)?.name === `b${STAND_IN}` ? { status: 422 } : undefined,
    );
    expect(calls).toEqual([
      `POST /automations/ a${STAND_IN}`,
      `POST /automations/ b${STAND_IN}`,
      'DELETE /automations/id-1',
    ]);
    expect(failures).toEqual(['automations of f/d: POST /automations/ was answered 422: no']);
  });

  it('keeps the stand-in of one that could not be made at last', async () => {
    const { calls, failures } = await apply([keep('a'), create('b')], ({ body }) =>
      (body as { name?: string } | undefined)?.name === 'a' ? { status: 500 } : undefined,
    );
    expect(calls).not.toContain('DELETE /automations/id-1');
    expect(calls).toContain('DELETE /automations/id-2');
    expect(failures).toEqual(['automation a of f/d: POST /automations/ was answered 500: no']);
  });

  it('takes one that is gone already for removed', async () => {
    expect((await apply([remove('a')], () => ({ status: 404 }))).failures).toEqual([]);
  });
});
