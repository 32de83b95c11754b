import { Problem } from '../problem.ts';
import type { Position } from '../project/model.ts';

/** Where a flow is to be found (contracts/deploy.md §3.1). */
export type Entrypoint =
  | { readonly kind: 'file'; readonly path: string; readonly object: readonly [string, ...string[]] }
  | { readonly kind: 'module'; readonly module: string; readonly object: readonly [string, ...string[]] };

/** What every message about an entrypoint needs. */
export interface FlowContext {
  /** As written. */
  readonly entrypoint: string;
  readonly target: Entrypoint;
  /** Where it is written in prefect.yaml. */
  readonly where: Position | undefined;
}

const FORMS =
  'Write path/to/file.py:function, path/to/file.py:Class.method, package.module:function or package.module.function.';

/**
 * Takes an entrypoint apart the way Prefect does (utilities/importtools import_object): a text with `.py:` names a
 * file, anything else a module; the last `:` (or, without one, the last `.`) stands before the object.
 *
 * @throws Problem at `where` when it has no such form.
 */
export function readEntrypoint(entrypoint: string, where: Position | undefined): Entrypoint {
  const refuse = (reason: string, remedy = FORMS): Problem =>
    new Problem(`entrypoint '${entrypoint}' ${reason}`, { remedy, ...(where && { where }) });
  const colon = entrypoint.lastIndexOf(':');
  const split = colon === -1 ? entrypoint.lastIndexOf('.') : colon;
  if (split === -1) throw refuse('names neither a file nor a module');
  const place = entrypoint.slice(0, split);
  const object = entrypoint.slice(split + 1);
  if (colon === -1 && object === 'py') {
    throw refuse('names a file but no function', `Write ${entrypoint}:function, with the name of the flow's function.`);
  }
  const [first = '', ...rest] = object.split('.');
  if (place === '' || ![first, ...rest].every(isIdentifier)) {
    throw refuse(place === '' ? 'names no file or module' : `names no function after '${place}'`);
  }
  const path: readonly [string, ...string[]] = [first, ...rest];
  if (entrypoint.includes('.py:') && place.endsWith('.py')) return { kind: 'file', path: place, object: path };
  if (place.split('.').every(isIdentifier)) return { kind: 'module', module: place, object: path };
  if (place.includes('/') || place.includes('\\')) {
    throw refuse('names a file that is no Python file', `Write ${place}.py:${object}. ${FORMS}`);
  }
  throw refuse('names neither a file nor a module');
}

/** True for a name as Python spells one; keywords are not looked at. */
function isIdentifier(text: string): boolean {
  if (text === '') return false;
  return [...text].every((character, index) => {
    const digit = character >= '0' && character <= '9';
    if (digit) return index > 0;
    return character === '_' || character.toLowerCase() !== character.toUpperCase() || character > '\u007f';
  });
}
