/** A Job in the form in which Prefect's Kubernetes worker names it in a run's `infrastructure_pid`: `namespace:name`. */
export interface JobPlace {
  readonly namespace: string;
  readonly name: string;
}

export function pidOf({ namespace, name }: JobPlace): string {
  return `${namespace}:${name}`;
}

/** @returns undefined for what names no Job. */
export function readPid(pid: string | null | undefined): JobPlace | undefined {
  const [namespace, name, ...more] = pid?.split(':') ?? [];
  return namespace && name && more.length === 0 ? { namespace, name } : undefined;
}
