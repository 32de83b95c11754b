import { Problem } from '../problem.ts';
import type { FlowDefinition } from './decorator.ts';
import { lineAndColumn } from './python/parse.ts';

/** Names Prefect keeps for itself (flows.py, raise_for_reserved_arguments). */
const RESERVED: ReadonlySet<string> = new Set(['return_state', 'wait_for']);

/** Parameters with which Prefect refuses to make a flow; the deployment's runs would fail at import. */
export function refusedParameters(flow: FlowDefinition): Problem[] {
  const { target } = flow;
  if (flow.wrappedBy !== undefined) return [];
  const { module } = target.scope;
  const parameters = target.kind === 'function' ? target.statement.parameters : target.parameters;
  return parameters.flatMap(({ name, from }) => {
    const reserved = RESERVED.has(name);
    if (!reserved && !name.startsWith('_')) return [];
    const reason = reserved
      ? 'Prefect keeps this name for itself'
      : 'pydantic allows no names that start with an underscore';
    return [
      new Problem(`the flow parameter '${name}' makes the flow impossible: ${reason}`, {
        remedy: 'Rename the parameter.',
        where: { file: module.file, ...lineAndColumn(module.python.source, from) },
      }),
    ];
  });
}
