import { DeploymentRecord } from '@slipway/prefect/client';
import type { JsonObject } from '@slipway/prefect/json';
import { type DeploymentFields, type DeploymentName, type DesiredDeployment, deploymentName } from './model.ts';

const place = (line: number) => ({ file: 'prefect.yaml', line, column: 5 });

/** A deployment hello/d as a file wants it, for tests. */
export function desiredDeployment(fields: Partial<DeploymentFields> = {}): DesiredDeployment {
  return {
    name: deploymentName('hello', 'd'),
    flowName: 'hello',
    deploymentName: 'd',
    fields: {
      version: 'abc',
      description: null,
      tags: [],
      entrypoint: 'flows.py:hello',
      parameters: {},
      parameter_openapi_schema: { title: 'Parameters', type: 'object', properties: {} },
      job_variables: {},
      pull_steps: [],
      work_pool_name: 'k',
      work_queue_name: null,
      ...fields,
    },
    where: place(9),
    positions: new Map([
      ['entrypoint', place(10)],
      ['parameters', place(11)],
      ['parameters.n', place(12)],
      ['parameters.tables', place(13)],
      ['parameters.tables.1', place(15)],
    ]),
  };
}

/** What a server has of it; undefined: nothing. */
export function actualDeployments(stored: JsonObject | undefined): Map<DeploymentName, DeploymentRecord> {
  const { name, deploymentName: own } = desiredDeployment();
  if (stored === undefined) return new Map();
  return new Map([[name, DeploymentRecord.parse({ id: '1', name: own, flow_id: '2', ...stored })]]);
}
