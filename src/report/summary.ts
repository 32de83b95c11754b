import { type UiObject, uiLink } from '@slipway/prefect/settings';
import { automationLabel } from '../deploy/automations-apply.ts';
import type { Applied, DeploymentName, Plan } from '../deploy/model.ts';
import type { BuiltImage } from '../image/model.ts';
import { failed, type Run } from '../runs/model.ts';
import type { Revision } from '../source/model.ts';
import { countActions, valueText } from './plan-text.ts';
import { scheduleChanges } from './schedule-lines.ts';

export interface Report {
  readonly mode: 'plan' | 'deploy';
  readonly modeReason: string;
  readonly revision: Revision;
  readonly images: readonly BuiltImage[];
  readonly plan: Plan;
  readonly applied: Applied;
  readonly runs: readonly Run[];
  readonly uiUrl: string;
}

const ICON = {
  create: '🟢 created',
  change: '🟡 changed',
  remove: '🟤 removed',
  'remove-if-owned': '🟤 removed if triggers made it',
  unchanged: '⚪ unchanged',
} as const;
const PLANNED_ICON = {
  create: '🟢 create',
  change: '🟡 change',
  remove: '🟤 remove',
  'remove-if-owned': '🟤 remove if triggers made it',
  unchanged: '⚪ unchanged',
} as const;

/** The job summary as GitHub-flavoured Markdown: what was built, deployed and run, with links. */
export function summaryMarkdown(report: Report): string {
  const sections = [
    title(report),
    images(report),
    objects(report),
    changedFields(report),
    failures(report),
    runs(report),
  ];
  return `${sections.filter((section) => section !== '').join('\n\n')}\n`;
}

function title(report: Report): string {
  const counts = countActions(report.plan);
  const { revision } = report;
  const commit =
    revision.sha === undefined
      ? 'no revision'
      : revision.repositoryUrl === undefined
        ? `\`${revision.shortSha}\``
        : `[\`${revision.shortSha}\`](${revision.repositoryUrl}/commit/${revision.sha})`;
  const about = `${commit}${revision.message === undefined ? '' : ` ${inline(revision.message)}`}`;
  const { create, change, remove, unchanged } = counts;
  const did =
    report.mode === 'plan'
      ? `${create} to create, ${change} to change,${remove === 0 ? '' : ` ${remove} to remove,`} ${unchanged} unchanged. Nothing was written (${report.modeReason}).`
      : `${create} created, ${change} changed,${remove === 0 ? '' : ` ${remove} removed,`} ${unchanged} unchanged.`;
  return `## Slipway: ${report.mode}\n\n${about}\n\n${did}`;
}

function images(report: Report): string {
  if (report.images.length === 0) return '';
  const rows = report.images.map(
    (image) =>
      `| \`${image.image}\` | ${image.digest === undefined ? 'known at deploy' : `\`${image.digest}\``} | ${image.seconds.toFixed(1)} s |`,
  );
  return ['### Images', '', '| image | digest | time |', '|---|---|---|', ...rows].join('\n');
}

function objects(report: Report): string {
  const icon = report.mode === 'plan' ? PLANNED_ICON : ICON;
  const ids = new Map(report.applied.deployments.map((one) => [one.name, one.id]));
  const failedWrites = new Set(report.applied.failures.map((failure) => failure.what));
  /** What belongs to a deployment that was not written has not been written either. */
  const skipped = (deployment: DeploymentName) => report.mode === 'deploy' && !ids.has(deployment);
  const row = (
    kind: string,
    name: string,
    action: keyof typeof ICON,
    object: UiObject | undefined,
    notWritten = failedWrites.has(`${kind} ${name}`),
  ): string => {
    const shown = notWritten ? '🔴 not written' : icon[action];
    const label = object === undefined ? `\`${name}\`` : `[\`${name}\`](${uiLink(report.uiUrl, object)})`;
    return `| ${kind} | ${label} | ${shown} |`;
  };
  const exists = (action: string): boolean => report.mode === 'deploy' || action !== 'create';
  const pools = report.plan.workPools.map(({ name, action }) =>
    row('work pool', name, action, exists(action) ? { kind: 'work-pool', name } : undefined),
  );
  const deployments = report.plan.deployments.map((planned) => {
    const id = ids.get(planned.desired.name) ?? (planned.action === 'create' ? undefined : planned.actual.id);
    return row(
      'deployment',
      planned.desired.name,
      planned.action,
      id === undefined ? undefined : { kind: 'deployment', id },
      skipped(planned.desired.name),
    );
  });
  const automations = report.plan.automations.flatMap((planned) =>
    planned.automations.map((one) => {
      const link =
        'actual' in one && one.action !== 'remove' ? ({ kind: 'automation', id: one.actual.id } as const) : undefined;
      const notWritten = skipped(planned.deployment) || failedWrites.has(automationLabel(one.name, planned));
      return row('automation', inline(`${one.name} of ${planned.deployment}`), one.action, link, notWritten);
    }),
  );
  const slas = report.plan.slas.map(({ deployment, slas: sent }) => {
    const label = `SLAs of ${deployment}`;
    const did =
      skipped(deployment) || failedWrites.has(label)
        ? '🔴 not written'
        : `🔵 ${sent.length} ${report.mode === 'plan' ? 'to send' : 'sent'}`;
    return `| SLAs | \`${deployment}\` | ${did} |`;
  });
  const heading =
    automations.length === 0 ? '### Work pools and deployments' : '### Work pools, deployments, automations';
  return [heading, '', '| kind | name | |', '|---|---|---|', ...pools, ...deployments, ...automations, ...slas].join(
    '\n',
  );
}

function changedFields(report: Report): string {
  const blocks = [
    ...report.plan.workPools.map((planned) => ({ name: `work pool ${planned.name}`, planned })),
    ...report.plan.deployments.map((planned) => ({ name: planned.desired.name, planned })),
    ...report.plan.automations.flatMap((of) =>
      of.automations.map((planned) => ({ name: automationLabel(planned.name, of), planned })),
    ),
  ].flatMap(({ name, planned }) => {
    if (planned.action !== 'change') return [];
    const schedules = 'schedules' in planned ? scheduleChanges(planned.schedules) : [];
    const rows = [...planned.changes, ...schedules].map(
      (change) => `| ${code(change.field)} | ${code(valueText(change.before))} | ${code(valueText(change.after))} |`,
    );
    return [
      [
        `<details><summary>${inline(name)}</summary>`,
        '',
        '| field | before | after |',
        '|---|---|---|',
        ...rows,
        '',
        '</details>',
      ].join('\n'),
    ];
  });
  return blocks.length === 0 ? '' : ['### Changes', ...blocks].join('\n\n');
}

function failures(report: Report): string {
  if (report.applied.failures.length === 0) return '';
  const rows = report.applied.failures.map((failure) => `- **${inline(failure.what)}**: ${inline(failure.reason)}`);
  return ['### Not written', '', ...rows, '', 'Everything else was applied; a second run converges.'].join('\n');
}

function runs(report: Report): string {
  if (report.runs.length === 0) return '';
  const rows = report.runs.map((run) => {
    const state =
      run.outcome === 'started'
        ? 'started'
        : run.outcome === 'finished'
          ? run.state.name
          : `timed out (${run.state.name})`;
    const icon = run.outcome === 'started' ? '🔵' : failed(run) ? '🔴' : '🟢';
    const time = run.outcome === 'finished' ? `${run.seconds.toFixed(0)} s` : '';
    return `| [${inline(run.name)}](${run.url}) | \`${run.deployment}\` | ${icon} ${state} | ${time} |`;
  });
  return ['### Runs', '', '| run | deployment | state | time |', '|---|---|---|---|', ...rows].join('\n');
}

/** Text that came from outside must not become markup, nor end a table's cell. */
function inline(text: string): string {
  return text
    .replace(/[<>&]/g, (sign) => `&#${sign.charCodeAt(0)};`)
    .replaceAll('|', '\\|')
    .replace(/\s*\n\s*/g, ' ');
}

function code(text: string): string {
  return `<code>${inline(text).replaceAll('`', '&#96;')}</code>`;
}
