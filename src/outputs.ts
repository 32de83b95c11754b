import type { Json } from '@slipway/prefect/json';
import { uiLink } from '@slipway/prefect/settings';
import { changes } from './deploy/model.ts';
import { planJson } from './report/plan-json.ts';
import type { Report } from './report/summary.ts';

/** The action's outputs by name, as text; an image's are those of the last image that was built. */
export function outputsOf(report: Report): Readonly<Record<string, string>> {
  const image = report.images.at(-1);
  const ids = new Map(report.applied.deployments.map((one) => [one.name as string, one.id]));
  const deployments: Json = report.plan.deployments.map((planned) => {
    const id = ids.get(planned.desired.name) ?? (planned.action === 'create' ? undefined : planned.actual.id);
    return {
      name: planned.desired.name,
      action: planned.action,
      ...(report.mode === 'deploy' && !ids.has(planned.desired.name) ? { written: false } : {}),
      ...(id === undefined ? {} : { id, url: uiLink(report.uiUrl, { kind: 'deployment', id }) }),
    };
  });
  const workPools: Json = report.plan.workPools.map(({ name, action }) => ({
    name,
    action,
    url: uiLink(report.uiUrl, { kind: 'work-pool', name }),
  }));
  const runs: Json = report.runs.map((run) => ({
    id: run.id,
    name: run.name,
    deployment: run.deployment,
    url: run.url,
    state: run.outcome === 'started' ? null : run.state.type,
  }));
  return {
    image: image?.image ?? '',
    'image-ref': image?.imageRef ?? '',
    digest: image?.digest ?? '',
    tag: image?.plan.tags[0] ?? '',
    tags: image?.plan.tags.join('\n') ?? '',
    sha: report.revision.sha ?? '',
    deployments: JSON.stringify(deployments),
    'work-pools': JSON.stringify(workPools),
    runs: JSON.stringify(runs),
    plan: JSON.stringify(planJson(report.plan)),
    changed: String(changes(report.plan)),
  };
}
