import { Problem } from '../problem.ts';
import type { Position } from '../project/model.ts';
import type { FlowDefinition, FlowTarget } from './decorator.ts';
import { lineAndColumn } from './python/parse.ts';
import type { Value } from './value.ts';

/** Characters Prefect refuses in names (types/names.py). */
const BANNED = ['/', '%', '&', '>', '<'];

/**
 * The name Prefect registers: `name=` when it is text, else the function's name with `_` as `-`
 * (contracts/deploy.md §3.3).
 *
 * @throws Problem in the Python file when the name is computed (it decides which deployment is updated, so it is
 *   never guessed), is no text, or has characters Prefect refuses.
 */
export function flowName(flow: FlowDefinition): string {
  const { target, options } = flow;
  const where = positionOf(target);
  const written = textOf(options.name);
  if (written === undefined) {
    throw new Problem(
      `the name of flow ${ownName(target)} is computed when the code runs, so it cannot be known before`,
      {
        remedy: `Write it as text: @flow(name="${ownName(target).replaceAll('_', '-')}").`,
        where,
      },
    );
  }
  if (written === '' && flow.wrappedBy !== undefined) {
    throw new Problem(`the decorator ${flow.wrappedBy} below @flow may change the name of ${ownName(target)}`, {
      remedy: `Give the flow its name: @flow(name="${ownName(target).replaceAll('_', '-')}").`,
      where,
    });
  }
  const name = written !== '' ? written : ownName(target).replaceAll('_', '-');
  const banned = BANNED.filter((character) => name.includes(character));
  if (banned.length > 0) {
    throw new Problem(`the flow name '${name}' has characters that Prefect refuses: ${banned.join(' ')}`, {
      remedy: `Take them out of the flow's name; none of ${BANNED.join(' ')} is allowed.`,
      where,
    });
  }
  return name;
}

/** The text of `name=`; empty when there is none; undefined when it cannot be known. */
function textOf(name: Value | undefined): string | undefined {
  if (name === undefined || name.kind === 'none') return '';
  return name.kind === 'str' ? name.value : undefined;
}

function ownName(target: FlowTarget): string {
  return target.kind === 'function' ? target.statement.name : 'unknown-lambda';
}

/** Where the function's name (or the lambda) stands in its file. */
function positionOf(target: FlowTarget): Position {
  const { module } = target.scope;
  const at = target.kind === 'function' ? target.statement.nameAt : target.at;
  return { file: module.file, ...lineAndColumn(module.python.source, at) };
}
