import { isJsonObject, type JsonObject } from '@slipway/prefect/json';
import { Problem } from '../problem.ts';
import type { StepList, StepSpec } from './model.ts';
import { child, isNull, toJson, type YamlMap, type YamlNode, type YamlPair, type YamlScalar } from './nodes.ts';

export const PHASES = ['build', 'push', 'pull'] as const;
export type Phase = (typeof PHASES)[number];

const SHAPE_REMEDY =
  'Write each step as `- fully.qualified.function:` with its inputs indented below, e.g. ' +
  '`- prefect.deployments.steps.run_shell_script: {script: echo hello}`.';

/** Where what is wrong with steps goes. */
export interface StepFindings {
  readonly problems: Problem[];
  readonly warnings: { message: string; where: StepSpec['where'] }[];
}

/**
 * Reads one phase of a deployment or of the top level (contracts/deploy.md §1.6): a list, or one step as a mapping. An
 * empty mapping means what null means; empty steps are left out, as Prefect skips them.
 *
 * @param owner the mapping that may hold the phase.
 * @param subject whose phase it is, for messages: `deployment arthur`, or empty for the top level.
 */
export function readStepList(owner: YamlMap, phase: Phase, subject: string, findings: StepFindings): StepList {
  const pair = owner.entries.get(phase);
  if (pair === undefined) return { kind: 'absent' };
  const { value } = pair;
  const where = pair.key.where;
  const label = `${subject === '' ? '' : `${subject}: `}${phase}`;
  if (isNull(value) || (value.kind === 'map' && value.entries.size === 0)) return { kind: 'null', where };
  if (value.kind === 'scalar') {
    findings.problems.push(new Problem(`${label} must be a list of steps`, { remedy: SHAPE_REMEDY, where }));
    return { kind: 'list', steps: [], where };
  }
  const items = value.kind === 'list' ? value.items : [value];
  const steps = items.flatMap((item, index) => readStep(item, `${label}[${index}]`, findings) ?? []);
  return { kind: 'list', steps, where };
}

function readStep(item: YamlNode, label: string, findings: StepFindings): StepSpec | undefined {
  const refuse = (message: string, at: YamlNode | YamlScalar, remedy = SHAPE_REMEDY): undefined => {
    findings.problems.push(new Problem(`${label} ${message}`, { remedy, where: at.where }));
  };
  if (item.kind !== 'map') return refuse('must be a mapping of a function to its inputs', item);
  const [pair, second] = item.entries.values();
  if (pair === undefined) return undefined;
  if (second !== undefined) {
    const names = [...item.entries.keys()].join(', ');
    return refuse(
      `has more than one key (${names}): a step is one function`,
      second.key,
      'Begin each step with a `-`, and indent its inputs below the function.',
    );
  }
  if (pair.key.content.type !== 'text') return refuse('must name its function with text', pair.key);
  const inputs = toJson(pair.value);
  if (!isJsonObject(inputs)) {
    const what = isNull(pair.value) ? 'has no inputs' : 'must give its inputs as a mapping';
    return refuse(what, pair.key, 'Write the inputs as `key: value` lines below the function, or `{}` for none.');
  }
  return specOf(pair, inputs, label, findings, refuse);
}

function specOf(
  pair: YamlPair,
  written: JsonObject,
  label: string,
  findings: StepFindings,
  refuse: (message: string, at: YamlNode, remedy?: string) => undefined,
): StepSpec | undefined {
  const { id, requires, ...inputs } = written;
  const idNode = child(pair.value, 'id');
  if (id !== undefined && id !== null && typeof id !== 'string' && idNode !== undefined) {
    findings.warnings.push({
      message: `${label}: the id ${JSON.stringify(id)} is no text, so no placeholder can name it; put it in quotes`,
      where: idNode.where,
    });
  }
  const needed = requires === undefined || requires === null ? [] : Array.isArray(requires) ? requires : [requires];
  const specifiers = needed.filter((item) => typeof item === 'string' && item !== '');
  const requiresNode = child(pair.value, 'requires');
  if (requiresNode !== undefined && needed.some((item) => typeof item !== 'string')) {
    return refuse(
      'must give `requires` as text or a list of texts',
      requiresNode,
      "Write e.g. requires: 'prefect-docker>=0.6'.",
    );
  }
  const functionName = pair.key.source;
  return {
    function: functionName,
    inputs,
    id: typeof id === 'string' && id !== '' ? id : undefined,
    requires: specifiers.map(String),
    raw: { [functionName]: written },
    where: pair.key.where,
  };
}
