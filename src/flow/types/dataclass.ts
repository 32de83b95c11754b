import { evaluate } from '../evaluate.ts';
import { type CallValue, isExternal, type PythonClass, type Value } from '../value.ts';
import { type Ancestor, ancestry } from './class-kind.ts';
import { annotatedNames, classContext, identityOf, isClassVariable, isWrapper, type TypeReader } from './context.ts';
import { type FieldInfo, mergeFields, NO_FIELD, readFieldArguments } from './field.ts';
import { type Field, objectSchema } from './fields.ts';
import { classKeywords } from './model.ts';
import { mappingOf, readConfig } from './model-config.ts';
import { NotKnown, type Type } from './type.ts';

/** A field of a dataclass and what only dataclasses know of it. */
export interface DataclassField extends Field {
  /** Set from the constructor's arguments. */
  readonly init: boolean;
  /** Only an argument of the constructor (`InitVar`). */
  readonly initOnly: boolean;
  readonly keywordOnly: boolean;
}

/** The type of a dataclass of the repository, the standard library's or pydantic's. */
export function dataclassType(
  of: PythonClass,
  typeArguments: ReadonlyMap<string, Value>,
  args: readonly Value[],
  read: TypeReader,
): Type {
  if (args.length > 0) throw new NotKnown(`the generic dataclass ${of.statement.name}`);
  const { name, docstring } = of.statement;
  return {
    kind: 'definition',
    definition: {
      name,
      identity: identityOf(of),
      class: of,
      content: (writer) => {
        const lineage = ancestry(of, typeArguments);
        const fields = dataclassFields(lineage, read);
        const config = readConfig([], decoratorConfig(of));
        // The text that the dataclasses module makes of the signature is no description.
        const described = docstring?.startsWith(`${name}(`) ? undefined : docstring;
        const inOrder = [
          ...fields.filter((field) => !field.keywordOnly),
          ...fields.filter((field) => field.keywordOnly),
        ];
        return { ...objectSchema(inOrder, writer), ...classKeywords(name, config, described ?? '') };
      },
      tags: (field) => {
        const found = dataclassFields(ancestry(of, typeArguments), read).find((candidate) => candidate.name === field);
        return found?.type.kind === 'literal' ? found.type.values : undefined;
      },
    },
  };
}

/** The fields of a dataclass, those of its bases first. */
export function dataclassFields(lineage: readonly Ancestor[], read: TypeReader): DataclassField[] {
  const fields = new Map<string, DataclassField>();
  for (const { class: of, typeArguments } of lineage) {
    const decorator = dataclassDecorator(of);
    if (decorator === undefined) continue;
    const context = classContext(of, typeArguments);
    let keywordOnly = isTrue(decorator.keywords.get('kw_only'));
    for (const { name, annotation, value } of annotatedNames(of)) {
      if (isClassVariable(annotation, context)) continue;
      if (isWrapper(annotation, 'dataclasses.KW_ONLY', context)) {
        keywordOnly = true;
        continue;
      }
      if (isWrapper(annotation, 'typing.Final', context)) throw new NotKnown('Final in a dataclass');
      const initOnly = isWrapper(annotation, 'dataclasses.InitVar', context);
      const { info, init, keyword } = fieldCall(value);
      const { type, info: described } = read.fieldOf(
        initOnly ? initArgument(annotation) : annotation,
        info.value,
        context,
      );
      const merged = mergeFields(described, info.described);
      const required = merged.default === undefined && merged.factory === undefined;
      if (!init && required) continue;
      fields.set(name, {
        name,
        shown: merged.alias ?? name,
        type,
        info: merged,
        required,
        init,
        initOnly,
        keywordOnly: keyword ?? keywordOnly,
      });
    }
  }
  return [...fields.values()];
}

interface FieldCall {
  readonly info: { readonly value: Value | undefined; readonly described: FieldInfo };
  readonly init: boolean;
  readonly keyword: boolean | undefined;
}

/** Takes `field(default=…, init=…, metadata=…)` apart; any other value is the default itself. */
function fieldCall(value: Value | undefined): FieldCall {
  const call = value?.kind === 'call' ? value : undefined;
  if (call !== undefined && isExternal(call.callee, 'pydantic.Field')) {
    const keyword = call.keywords.get('kw_only');
    const init = call.keywords.get('init');
    return {
      info: { value, described: NO_FIELD },
      init: init?.kind !== 'bool' || init.value,
      keyword: keyword && isTrue(keyword),
    };
  }
  if (call === undefined || !isExternal(call.callee, 'dataclasses.field')) {
    return { info: { value, described: NO_FIELD }, init: true, keyword: undefined };
  }
  if (!call.complete) throw new NotKnown('the arguments of field(…) are computed');
  const init = call.keywords.get('init');
  const keyword = call.keywords.get('kw_only');
  const factory = call.keywords.get('default_factory');
  const metadata = call.keywords.get('metadata');
  const given = metadata?.kind === 'dict' ? describing(metadata.entries) : new Map<string, Value>();
  if (metadata !== undefined && metadata.kind !== 'dict') throw new NotKnown('the metadata of a field is computed');
  const described = { ...readFieldArguments(given), ...(factory && { factory }) };
  return {
    info: { value: call.keywords.get('default'), described },
    init: init?.kind !== 'bool' || init.value,
    keyword: keyword && isTrue(keyword),
  };
}

/** Metadata keys that pydantic hands on to its own Field. */
const HANDED_ON = [
  'title',
  'description',
  'examples',
  'deprecated',
  'gt',
  'ge',
  'lt',
  'le',
  'multiple_of',
  'min_length',
  'max_length',
  'pattern',
  'alias',
  'json_schema_extra',
];

function describing(entries: readonly (readonly [Value, Value])[]): Map<string, Value> {
  const given = new Map<string, Value>();
  for (const [key, value] of entries) {
    if (key.kind !== 'str') throw new NotKnown('the metadata of a field is computed');
    if (HANDED_ON.includes(key.value)) given.set(key.value, value);
  }
  return given;
}

function initArgument(annotation: Value): Value {
  const [only] = annotation.kind === 'subscript' ? annotation.items : [];
  return only ?? { kind: 'external', name: 'typing.Any' };
}

function isTrue(value: Value | undefined): boolean {
  if (value === undefined) return false;
  if (value.kind !== 'bool') throw new NotKnown('an option of a dataclass is computed');
  return value.value;
}

/** The `@dataclass` of a class as a call; undefined when it has none of its own. */
function dataclassDecorator(of: PythonClass): CallValue | undefined {
  for (const decorator of of.statement.decorators) {
    const value = evaluate(decorator, of.scope, decorator.from);
    const callee = value.kind === 'call' ? value.callee : value;
    if (!isExternal(callee, 'dataclasses.dataclass', 'pydantic.dataclasses.dataclass')) continue;
    if (value.kind === 'call') return value;
    return { kind: 'call', callee, args: [], keywords: new Map(), complete: true, scope: of.scope };
  }
  return undefined;
}

function decoratorConfig(of: PythonClass): ReadonlyMap<string, Value> {
  const config = dataclassDecorator(of)?.keywords.get('config');
  return config === undefined ? new Map() : mappingOf(config);
}
