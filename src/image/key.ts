import type { ImagePlan } from './model.ts';

/**
 * A text that two plans share exactly when they ask for the same image: everything but the place that asked and what
 * its files may have gone through. Equal
 * plans are built once (contracts/deploy.md §2.7, "Memo").
 */
export function imageKey(plan: ImagePlan): string {
  const { where: _where, changedBy: _changedBy, freshBecause: _freshBecause, ...rest } = plan;
  return JSON.stringify(sorted(rest));
}

/** Mappings in the order of their keys; lists keep theirs, which means something to a build. */
export function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).filter(([, item]) => item !== undefined);
  return Object.fromEntries(entries.sort(([a], [b]) => (a < b ? -1 : 1)).map(([key, item]) => [key, sorted(item)]));
}
