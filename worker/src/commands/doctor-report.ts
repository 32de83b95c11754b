import { stringify } from 'yaml';

/** `note`: nothing to judge; `warn`: the worker works, less well; `fail`: it does not. */
export type Finding = {
  readonly status: 'ok' | 'note' | 'warn' | 'fail';
  /** What was looked at, the same words always. */
  readonly check: string;
  readonly detail: string;
};

/** One verb on one kind of object in one namespace. */
export interface Permission {
  readonly namespace: string;
  readonly group: string;
  /** With its subresource: `pods/log`. */
  readonly resource: string;
  readonly verb: string;
  /** What the worker needs it for; without it is it none at all, or only less good. */
  readonly needed: boolean;
  readonly purpose: string;
}

export interface Report {
  readonly findings: readonly Finding[];
  readonly missing: readonly Permission[];
}

type Use = readonly [group: string, resource: string, verbs: readonly string[], needed: boolean, purpose: string];

const JOBS: readonly Use[] = [
  ['batch', 'jobs', ['create'], true, 'runs become Jobs'],
  ['batch', 'jobs', ['get'], true, 'a Job that was created before is found again'],
  ['batch', 'jobs', ['list', 'watch'], true, 'failed and deleted Jobs are seen'],
  ['batch', 'jobs', ['delete'], true, 'Jobs that cannot start, or are cancelled, are ended'],
  ['', 'pods', ['get', 'list', 'watch'], true, 'why a pod does not start is seen'],
  ['', 'pods/log', ['get'], false, 'the last words of a crashed pod can be told'],
  ['', 'events', ['get', 'list', 'watch'], false, 'why a Job gets no pod can be told'],
];
const KEY_SECRET: Use = ['', 'secrets', ['get', 'create', 'update'], true, 'the API key is kept in a Secret'];
const ENV_SECRET: Use = [
  '',
  'secrets',
  ['get', 'create', 'update', 'delete'],
  true,
  'the environment is kept in a Secret',
];

/** What the worker needs to be permitted in each namespace that its Jobs are made in. */
export function permissionsFor(
  namespaces: readonly string[],
  secrets: { readonly apiKey: boolean; readonly env: boolean },
): Permission[] {
  const uses = [...JOBS, ...(secrets.env ? [ENV_SECRET] : secrets.apiKey ? [KEY_SECRET] : [])];
  return namespaces.flatMap((namespace) =>
    uses.flatMap(([group, resource, verbs, needed, purpose]) =>
      verbs.map((verb) => ({ namespace, group, resource, verb, needed, purpose })),
    ),
  );
}

/** What was found about permissions, a line for each kind of object and namespace. */
export function permissionFindings(asked: readonly Permission[], missing: readonly Permission[]): Finding[] {
  const places = new Map<string, Permission[]>();
  for (const permission of asked) {
    const place = `${permission.resource} in namespace ${permission.namespace}`;
    places.set(place, [...(places.get(place) ?? []), permission]);
  }
  return [...places].map(([place, permissions]) => {
    const lacking = permissions.filter((permission) => missing.includes(permission));
    const verbs = (of: readonly Permission[]) => of.map(({ verb }) => verb).join(', ');
    if (lacking.length === 0) return { status: 'ok', check: 'permissions', detail: `${place}: ${verbs(permissions)}` };
    const purposes = [...new Set(lacking.map(({ purpose }) => purpose))].join('; ');
    const status = lacking.some(({ needed }) => needed) ? 'fail' : 'warn';
    return { status, check: 'permissions', detail: `${place}: not permitted: ${verbs(lacking)} (${purposes})` };
  });
}

/** The Roles that grant what is missing, as YAML; one for each namespace. Empty when nothing is missing. */
export function missingRoles(missing: readonly Permission[]): string {
  const namespaces = [...new Set(missing.map(({ namespace }) => namespace))];
  const roles = namespaces.map((namespace) =>
    stringify({
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'Role',
      metadata: { name: 'slipway-worker', namespace },
      rules: rulesOf(missing.filter((permission) => permission.namespace === namespace)),
    }),
  );
  return roles.join('---\n');
}

function rulesOf(permissions: readonly Permission[]): object[] {
  const rules = new Map<string, { apiGroups: string[]; resources: string[]; verbs: string[] }>();
  for (const { group, resource, verb } of permissions) {
    const rule = rules.get(`${group}/${resource}`) ?? { apiGroups: [group], resources: [resource], verbs: [] };
    rule.verbs.push(verb);
    rules.set(`${group}/${resource}`, rule);
  }
  return [...rules.values()];
}

/** Dates in answers have whole seconds, and an answer takes a while. */
const SKEW_WARN_MS = 5_000;
const SKEW_FAIL_MS = 60_000;

/** How far a server's clock is from ours. @param date the Date header of an answer that came at `nowMs`. */
export function clockFinding(server: string, date: string | undefined, nowMs: number): Finding {
  const check = 'clock';
  const serverMs = Date.parse(date ?? '');
  if (Number.isNaN(serverMs)) return { status: 'note', check, detail: `${server} does not tell its time` };
  const skewMs = Math.abs(nowMs - serverMs);
  if (skewMs < SKEW_WARN_MS) return { status: 'ok', check, detail: `${server} agrees` };
  const way = nowMs > serverMs ? 'behind' : 'ahead of';
  const detail = `${server} is ${Math.round(skewMs / 1000)} s ${way} this clock: runs start too early or too late. Set the clocks (NTP).`;
  return { status: skewMs < SKEW_FAIL_MS ? 'warn' : 'fail', check, detail };
}

/** For a person: a line for each finding, then the Roles to apply. */
export function reportText({ findings, missing }: Report): string {
  const lines = findings.map(({ status, check, detail }) => `${status.padEnd(5)}${check}: ${detail}`);
  const roles = missingRoles(missing);
  return roles === '' ? lines.join('\n') : `${lines.join('\n')}\n\nWhat the worker’s Role lacks:\n\n${roles.trimEnd()}`;
}

export function hasFailed({ findings }: Report): boolean {
  return findings.some(({ status }) => status === 'fail');
}
