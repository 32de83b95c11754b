import { dirname, posix, resolve } from 'node:path';
import { throwIfAny } from '../problem.ts';
import type { Position } from '../project/model.ts';
import type { Files } from '../world.ts';
import { asFlow, type FlowDefinition } from './decorator.ts';
import { cleandoc } from './docstring.ts';
import { type Entrypoint, type FlowContext, readEntrypoint } from './entrypoint.ts';
import { attributeOf, ownName } from './evaluate.ts';
import {
  explainMissing,
  explainNoFlow,
  explainUnclear,
  missingFile,
  missingModule,
  outside,
  syntaxProblem,
} from './explain.ts';
import { flowName } from './flow-name.ts';
import { isInside, ModuleFinder, relativeTo } from './imports.ts';
import type { Flow } from './model.ts';
import { parameterSchema } from './parameter-schema.ts';
import { refusedParameters } from './refused-parameters.ts';
import type { PythonModule } from './scope.ts';
import { PythonSources } from './sources.ts';
import type { Value } from './value.ts';

export interface ReadFlowOptions {
  /** The project's directory, absolute: entrypoints and modules are relative to it. */
  readonly directory: string;
  readonly files: Files;
  /** Where the entrypoint is written in prefect.yaml. */
  readonly where?: Position | undefined;
  /** The repository's root, absolute; default: the closest folder above `directory` that has a `.git`. */
  readonly repository?: string | undefined;
  /** Files already parsed, to be shared by all entries of a run. */
  readonly sources?: PythonSources | undefined;
}

/**
 * Reads what Prefect would register for an entrypoint, without running it (contracts/deploy.md §3): the flow's name,
 * description, version and parameter schema.
 *
 * @throws Problem (or Problems) with the place in prefect.yaml when the entrypoint leads nowhere, with the place in
 *   the Python file when the flow's name cannot be known or Prefect itself would refuse the flow.
 */
export async function readFlow(entrypoint: string, options: ReadFlowOptions): Promise<Flow> {
  const target = readEntrypoint(entrypoint, options.where);
  const directory = resolve(options.directory);
  const repository = options.repository ?? (await findRepository(directory, options.files));
  const sources = options.sources ?? new PythonSources(options.files);
  const file = target.kind === 'file' ? resolve(directory, target.path) : undefined;
  const roots = [...(file === undefined ? [] : [dirname(file)]), directory, posix.join(directory, 'src')];
  const context = { entrypoint, target, where: options.where };
  if (file !== undefined && !isInside(repository, file)) throw outside(context, repository);
  if (file !== undefined && !(await options.files.exists(file))) {
    throw await missingFile(context, file, repository, options.files);
  }
  return sources.run(() => {
    const finder = new ModuleFinder({ sources, roots, repository });
    const module = file === undefined ? finder.find(moduleOf(target)) : finder.open(file, true);
    if (module === undefined) throw missingModule(context, relativeTo(repository, file ?? directory));
    return flowOf(context, module);
  });
}

function moduleOf(target: Entrypoint): string {
  return target.kind === 'module' ? target.module : '';
}

function flowOf(context: FlowContext, module: PythonModule): Flow {
  const broken = syntaxProblem(module);
  if (broken !== undefined) throw broken;
  const value = findObject(module, context.target.object);
  if (value === undefined) throw explainMissing(context, module);
  const answer = asFlow(value);
  if (answer.kind === 'no flow') throw explainNoFlow(context, module, value);
  if (answer.kind === 'unclear') throw explainUnclear(context, module, value, answer.reason);
  return describe(context, answer);
}

function describe(context: FlowContext, flow: FlowDefinition): Flow {
  const { target, options } = flow;
  throwIfAny(refusedParameters(flow));
  const docstring = target.kind === 'function' ? target.statement.docstring : undefined;
  const written =
    options.description?.kind === 'str' && options.description.value !== '' ? options.description.value : undefined;
  const computed =
    options.description !== undefined && options.description.kind !== 'str' && options.description.kind !== 'none';
  const doc = docstring === undefined ? undefined : cleandoc(docstring);
  return {
    entrypoint: context.entrypoint,
    name: flowName(flow),
    functionName: target.kind === 'function' ? target.statement.name : (context.target.object.at(-1) ?? ''),
    description: written ?? (computed ? undefined : doc || undefined),
    version: versionOf(flow),
    parameters: parameterSchema(flow, doc ?? ''),
  };
}

/** `version=`, else the hash of the file that holds the function that runs (flows.py of 3.8.8, Flow.__init__). */
function versionOf({ options: { version }, target, wrappedBy }: FlowDefinition): string | undefined {
  if (version?.kind === 'str' && version.value !== '') return version.value;
  const written = version !== undefined && version.kind !== 'none' && version.kind !== 'str';
  return written || wrappedBy !== undefined ? undefined : target.scope.module.python.md5;
}

/** The object the entrypoint names, or undefined when the module has no such name. */
function findObject(module: PythonModule, path: readonly [string, ...string[]]): Value | undefined {
  const [first, ...rest] = path;
  let value = ownName(first, module.scope);
  for (const name of rest) {
    if (value === undefined) return undefined;
    value = attributeOf(value, name);
    if (value.kind === 'attribute') return undefined;
  }
  return value;
}

async function findRepository(directory: string, files: Files): Promise<string> {
  for (let folder = directory; ; folder = dirname(folder)) {
    if (await files.exists(posix.join(folder, '.git'))) return folder;
    if (folder === dirname(folder)) return directory;
  }
}
