import { basename, dirname, posix } from 'node:path';
import { Problem } from '../problem.ts';
import type { Position } from '../project/model.ts';
import type { Files } from '../world.ts';
import { asFlow } from './decorator.ts';
import { nearestName } from './distance.ts';
import type { FlowContext } from './entrypoint.ts';
import { attributeOf, classNames, ownName } from './evaluate.ts';
import { relativeTo } from './imports.ts';
import { lineAndColumn } from './python/parse.ts';
import type { PythonModule } from './scope.ts';
import type { Value } from './value.ts';

/** A file's flows are listed up to this many. */
const LISTED = 10;

/** The entrypoint's file is not there; a file of nearly the same name is suggested. */
export async function missingFile(
  context: FlowContext,
  file: string,
  repository: string,
  files: Files,
): Promise<Problem> {
  const siblings = await files.list(dirname(file)).catch(() => [] as string[]);
  const nearest = nearestName(
    basename(file),
    siblings.filter((name) => name.endsWith('.py')),
  );
  const shown = relativeTo(repository, file);
  const suggestion =
    nearest === undefined ? '' : ` Did you mean ${relativeTo(repository, posix.join(dirname(file), nearest))}?`;
  return new Problem(`entrypoint '${context.entrypoint}': there is no file ${shown}`, {
    remedy: `Correct the path (it is relative to the project's directory) or add the file.${suggestion}`,
    ...(context.where && { where: context.where }),
  });
}

/** The entrypoint's file is not part of the repository, so that no deployed image or clone would have it. */
export function outside(context: FlowContext, repository: string): Problem {
  return new Problem(`entrypoint '${context.entrypoint}' is outside this repository (${repository})`, {
    remedy: 'Point the entrypoint at a file inside the repository.',
    ...(context.where && { where: context.where }),
  });
}

/** The entrypoint's module, or its file as a Python file, is not there. */
export function missingModule(context: FlowContext, place: string): Problem {
  const { target } = context;
  const missing = target.kind === 'module' ? `there is no module ${target.module}` : `${place} is no Python file`;
  return new Problem(`entrypoint '${context.entrypoint}': ${missing} in this repository`, {
    remedy:
      'Modules are looked for in the project folder and in its src folder. Correct the name, or name the file: path/to/file.py:function.',
    ...(context.where && { where: context.where }),
  });
}

/** The first place in a file that is no Python; undefined when the whole file was understood. */
export function syntaxProblem(module: PythonModule): Problem | undefined {
  const { syntaxError, source, isTooLarge } = module.python;
  if (syntaxError === undefined) return undefined;
  if (isTooLarge) {
    return new Problem(`${module.file} is larger than 5 MB and is not read as Python`, {
      remedy: 'Move data out of the Python file, or point the entrypoint at a smaller one.',
      where: { file: module.file, line: 1, column: 1 },
    });
  }
  const near = syntaxError.near === '' ? 'the end of the line' : `'${syntaxError.near}'`;
  return new Problem(`syntax error: ${module.file} cannot be read as Python near ${near}`, {
    remedy:
      'Mend the line. Should Python itself accept it, move the flow into a file of its own, without that statement.',
    where: { file: module.file, ...lineAndColumn(source, syntaxError.at) },
  });
}

/** The module has no such object. */
export function explainMissing(context: FlowContext, module: PythonModule): Problem {
  const wanted = context.target.object.join('.');
  const flows = flowsIn(module);
  const listed =
    flows.length === 0
      ? 'It has no flows.'
      : `Its flows: ${flows.slice(0, LISTED).join(', ')}${flows.length > LISTED ? ', …' : ''}.`;
  const nearest = nearestName(wanted, flows);
  return new Problem(`entrypoint '${context.entrypoint}': ${module.file} has no ${wanted}`, {
    remedy: `${nearest === undefined ? 'Name one of its flows.' : `Did you mean ${nearest}?`} ${listed}`,
    ...(context.where && { where: context.where }),
  });
}

/** The object is there and is no flow. */
export function explainNoFlow(context: FlowContext, module: PythonModule, value: Value): Problem {
  const wanted = context.target.object.join('.');
  const flows = flowsIn(module);
  const others = flows.length === 0 ? '' : ` Flows of this file: ${flows.slice(0, LISTED).join(', ')}.`;
  return new Problem(`entrypoint '${context.entrypoint}': ${wanted} is not a flow`, {
    remedy: `Put @flow above its definition, or name a flow.${others}`,
    where: placeOf(value, module, context),
  });
}

/** Whether it is a flow, or which one, shows only when the code runs. */
export function explainUnclear(context: FlowContext, module: PythonModule, value: Value, reason: string): Problem {
  const wanted = context.target.object.join('.');
  return new Problem(
    `entrypoint '${context.entrypoint}': the flow name of ${wanted} cannot be known without running the code: ${reason}`,
    {
      remedy: `Write @flow(name="…") directly above the function, as its outermost decorator, so that the right deployment is updated.`,
      where: placeOf(value, module, context),
    },
  );
}

function placeOf(value: Value, module: PythonModule, context: FlowContext): Position {
  if (value.kind === 'function') {
    const { statement, scope } = value.function;
    return { file: scope.module.file, ...lineAndColumn(scope.module.python.source, statement.nameAt) };
  }
  const [first] = context.target.object;
  const at = module.scope.bindings.names.get(first)?.at(-1)?.at ?? 0;
  return { file: module.file, ...lineAndColumn(module.python.source, at) };
}

/** The flows of a module as an entrypoint names them: functions, and methods of its classes. */
function flowsIn(module: PythonModule): string[] {
  const found: string[] = [];
  for (const name of module.scope.bindings.names.keys()) {
    const value = ownName(name, module.scope);
    if (value === undefined) continue;
    if (value.kind === 'class') {
      const methods = classNames(value.class).filter((method) => asFlow(attributeOf(value, method)).kind === 'flow');
      found.push(...methods.map((method) => `${name}.${method}`));
    } else if (asFlow(value).kind === 'flow') {
      found.push(name);
    }
  }
  return found;
}
