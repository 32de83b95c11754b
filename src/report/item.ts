import type { UiObject } from '@slipway/prefect/settings';
import type { Change, DeploymentName } from '../deploy/model.ts';
import type { Position } from '../project/model.ts';
import { type Difference, difference, type Redact, valueText } from './difference.ts';

/** One object of a plan as a person sees it, in log, summary and comment alike. Secrets are replaced already. */
export interface Item {
  readonly kind: 'work pool' | 'deployment' | 'automation' | 'SLAs';
  readonly name: string;
  /** What messages call it; a failed write bears the same. */
  readonly label: string;
  readonly action: ItemAction;
  /** What else is to be said of the action. */
  readonly note?: string;
  readonly where: Position;
  /** What the server has of it. */
  readonly object?: UiObject;
  /** The deployment it is or belongs to: what cannot be written without it. */
  readonly deployment?: DeploymentName;
  readonly details: readonly Detail[];
}

export type ItemAction = 'create' | 'change' | 'remove' | 'remove-if-owned' | 'unchanged' | 'send';

/** One thing about an object: a field of a new one, a field that changes, a schedule that comes or goes. */
export type Detail =
  | { readonly kind: 'field'; readonly field: string; readonly text: string }
  | { readonly kind: 'change'; readonly field: string; readonly difference: Difference }
  | { readonly kind: 'added' | 'removed'; readonly text: string };

export type Counts = Record<'create' | 'change' | 'remove' | 'unchanged', number>;

/** How many objects a plan creates, changes, removes and leaves alone, as far as it knows. */
export function countActions(items: readonly Pick<Item, 'action'>[]): Counts {
  const counts = { create: 0, change: 0, remove: 0, unchanged: 0 };
  for (const { action } of items) if (action in counts) counts[action as keyof Counts] += 1;
  return counts;
}

/** A field of something new; nothing where it is empty. */
export function fieldDetail(field: string, value: unknown, redact: Redact): Detail[] {
  const empty = value === null || value === undefined || ['[]', '{}'].includes(JSON.stringify(value));
  return empty ? [] : [{ kind: 'field', field, text: valueText(value as Change['after'], redact) }];
}

/** A field that changes. */
export function changeDetail(change: Change, redact: Redact): Detail {
  return { kind: 'change', field: redact(change.field), difference: difference(change, redact) };
}
