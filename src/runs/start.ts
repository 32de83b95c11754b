import { randomUUID } from 'node:crypto';
import {
  createFlowRun,
  type DeploymentRecord,
  type PrefectApi,
  PrefectApiError,
  readDeploymentByName,
  readDeployments,
} from '@slipway/prefect/client';
import { isJsonObject } from '@slipway/prefect/json';
import { uiLink } from '@slipway/prefect/settings';
import { type AppliedDeployment, type DeploymentName, deploymentName } from '../deploy/model.ts';
import type { RunRequest } from '../inputs/run-requests.ts';
import { Problem, throwIfAny } from '../problem.ts';
import type { Log } from '../world.ts';
import type { StartedRun } from './model.ts';

interface Resolved {
  readonly request: RunRequest;
  readonly name: DeploymentName;
  readonly record: DeploymentRecord;
}

/**
 * Starts the runs that the input `run` asks for. All names and parameter names are checked before the first run is
 * created, so that a typing error starts nothing.
 *
 * @param applied the deployments of this job; a bare deployment name is looked up among them, `flow/deployment` on the
 *   server as well.
 * @param started called with each run as soon as it exists, so that a job that dies can still cancel it.
 * @throws Problem or Problems for names that match nothing or several, unknown parameters, refused runs.
 */
export async function startRuns(
  requests: readonly RunRequest[],
  applied: readonly AppliedDeployment[],
  api: PrefectApi,
  log: Log,
  started: (run: StartedRun) => void,
  signal: AbortSignal,
): Promise<StartedRun[]> {
  const runs: StartedRun[] = [];
  for (const { request, name, record } of await resolveRequests(requests, applied, api, signal)) {
    // One key for this request however often it is sent: a lost answer must not start a second run.
    const key = `slipway-${randomUUID()}`;
    try {
      const created = await createFlowRun(
        api,
        record.id,
        { parameters: request.parameters, idempotency_key: key },
        signal,
      );
      const url = uiLink(api.settings.uiUrl, { kind: 'flow-run', id: created.id });
      const run = { id: created.id, name: created.name, deployment: name, url };
      started(run);
      runs.push(run);
      log.info(`started ${name}: run ${created.name} ${url}`);
    } catch (error) {
      if (!(error instanceof PrefectApiError) || error.status < 400 || error.status >= 500) throw error;
      throw new Problem(`the server refused to start ${name}: ${error.detail}`, {
        remedy: 'Correct the parameters after its name in the input run.',
        cause: error,
      });
    }
  }
  return runs;
}

async function resolveRequests(
  requests: readonly RunRequest[],
  applied: readonly AppliedDeployment[],
  api: PrefectApi,
  signal: AbortSignal,
): Promise<Resolved[]> {
  const problems: Problem[] = [];
  const resolved: Resolved[] = [];
  const records = new Map(
    (await readDeployments(api, { ids: applied.map((one) => one.id) }, signal)).map((record) => [record.id, record]),
  );
  for (const request of requests) {
    const found = await resolveRequest(request, applied, records, api, signal);
    if (found instanceof Problem) problems.push(found);
    else problems.push(...checkParameters(found, resolved));
  }
  throwIfAny(problems);
  return resolved;
}

async function resolveRequest(
  request: RunRequest,
  applied: readonly AppliedDeployment[],
  records: ReadonlyMap<string, DeploymentRecord>,
  api: PrefectApi,
  signal: AbortSignal,
): Promise<Resolved | Problem> {
  const slash = request.deployment.indexOf('/');
  const matches = applied.filter((one) =>
    slash === -1 ? one.name.slice(one.name.indexOf('/') + 1) === request.deployment : one.name === request.deployment,
  );
  const [match, second] = matches;
  if (second !== undefined) {
    return new Problem(`the input run names ${request.deployment}, which is the name of several deployments`, {
      remedy: `Write the flow's name too: ${matches.map((one) => one.name).join(' or ')}.`,
    });
  }
  const known = match && records.get(match.id);
  if (match !== undefined && known !== undefined) return { request, name: match.name, record: known };
  if (slash !== -1) {
    const [flow, name] = [request.deployment.slice(0, slash), request.deployment.slice(slash + 1)];
    const record = await readDeploymentByName(api, flow, name, signal);
    if (record !== undefined) return { request, name: deploymentName(flow, name), record };
  }
  const names = applied.map((one) => one.name).join(', ') || 'none';
  return new Problem(`the input run names ${request.deployment}, and there is no such deployment`, {
    remedy: `Use one of this project's (${names}), or flow/deployment of another that the server has.`,
  });
}

/** Adds the request to the checked ones, or says which parameters the flow does not have (contracts/deploy.md §6.2). */
function checkParameters(found: Resolved, checked: Resolved[]): Problem[] {
  const properties = found.record.parameter_openapi_schema?.properties;
  const known = isJsonObject(properties) ? Object.keys(properties) : undefined;
  const unknown =
    known === undefined ? [] : Object.keys(found.request.parameters).filter((name) => !known.includes(name));
  if (unknown.length === 0) {
    checked.push(found);
    return [];
  }
  return [
    new Problem(`${found.name} has no parameter ${unknown.join(', ')}`, {
      remedy: `Its parameters are: ${known?.join(', ') || 'none'}.`,
    }),
  ];
}
