import { classScope } from '../attribute.ts';
import { cleandoc } from '../docstring.ts';
import { basesOf, evaluate } from '../evaluate.ts';
import { isExternal, type PythonClass, type Value } from '../value.ts';
import { type Ancestor, ancestry, bindTypeArguments } from './class-kind.ts';
import { annotatedNames, classContext, identityOf, isClassVariable, isWrapper, type TypeReader } from './context.ts';
import { describedType, type Field, objectSchema } from './fields.ts';
import { limitText, type ModelConfig, readConfig } from './model-config.ts';
import { ANY, NotKnown, type Type } from './type.ts';

/**
 * The type of a pydantic model of the repository, as a definition with its docstring, fields and configuration.
 *
 * @param args type arguments, `Box[int]`.
 */
export function modelType(of: PythonClass, args: readonly Value[], read: TypeReader): Type {
  const shown = args.map(displayName).join(', ');
  const name = args.length === 0 ? of.statement.name : `${of.statement.name}[${shown}]`;
  return {
    kind: 'definition',
    definition: {
      name,
      identity: identityOf(of, args.length === 0 ? '' : `[${shown}]`),
      class: of,
      content: (writer) => {
        const lineage = ancestry(of, bindTypeArguments(of, args));
        const config = readConfig(lineage);
        const root = rootField(lineage, read);
        const body = root
          ? writer.write(describedType(root.type, root.info))
          : objectSchema(modelFields(lineage, config, read), writer);
        // Box[int] is a class of its own, without the docstring of Box.
        const docstring = args.length === 0 ? of.statement.docstring : undefined;
        return { ...body, ...classKeywords(name, config, docstring) };
      },
      tags: (field) => tagsOf(of, args, field, read),
    },
  };
}

/** What pydantic writes for the class itself: title, description, additionalProperties, json_schema_extra. */
export function classKeywords(name: string, config: ModelConfig, docstring: string | undefined) {
  const description = docstring === undefined ? '' : cleandoc(docstring);
  return {
    title: config.title ?? name,
    ...(description !== '' && { description }),
    ...(config.extra !== undefined && { additionalProperties: config.extra === 'allow' }),
    ...config.schemaExtra,
  };
}

/** The fields of a model, those of its bases first; a field that is declared again keeps its place. */
export function modelFields(lineage: readonly Ancestor[], config: ModelConfig, read: TypeReader): Field[] {
  const plain = plainValidated(lineage);
  const fields = new Map<string, Field>();
  for (const { class: of, typeArguments } of lineage) {
    const context = classContext(of, typeArguments);
    for (const { name, annotation, value } of annotatedNames(of)) {
      if (name.startsWith('_') || name === 'model_config' || isClassVariable(annotation, context)) continue;
      if (isWrapper(annotation, 'typing.Final', context) && value !== undefined) continue;
      if (annotation.kind === 'subscript' && isExternal(annotation.of, 'dataclasses.InitVar'))
        throw new NotKnown('InitVar in a model');
      const unwrapped = isWrapper(annotation, 'typing.Final', context) ? finalArgument(annotation) : annotation;
      const { type, info } = read.fieldOf(unwrapped, value, context);
      const alias = config.byAlias ? (info.alias ?? config.alias?.(name)) : undefined;
      const limited = limitText(plain.has(name) || plain.has('*') ? ANY : type, config.text);
      const required = info.default === undefined && info.factory === undefined;
      fields.set(name, { name, shown: alias ?? name, type: limited, info, required });
    }
  }
  return [...fields.values()];
}

function finalArgument(annotation: Value): Value {
  const [only] = annotation.kind === 'subscript' ? annotation.items : [];
  if (only === undefined) throw new NotKnown('Final without a type');
  return only;
}

/** The `root` of a RootModel; undefined for other models. */
export function rootField(
  lineage: readonly Ancestor[],
  read: TypeReader,
): Omit<Field, 'name' | 'shown' | 'required'> | undefined {
  let root: Omit<Field, 'name' | 'shown' | 'required'> | undefined;
  for (const { class: of, typeArguments } of lineage) {
    const context = classContext(of, typeArguments);
    for (const base of basesOf(of)) {
      if (isExternal(base, 'pydantic.RootModel'))
        root ??= { type: ANY, info: read.fieldOf({ kind: 'none' }, undefined, context).info };
      if (base.kind !== 'subscript' || !isExternal(base.of, 'pydantic.RootModel')) continue;
      root = read.fieldOf(base.items[0] ?? { kind: 'none' }, undefined, context);
    }
    if (root === undefined) continue;
    const own = annotatedNames(of).find(({ name }) => name === 'root');
    if (own !== undefined) root = read.fieldOf(own.annotation, own.value, context);
  }
  return root;
}

/** Fields with a `mode="plain"` validator: it decides alone, so the annotation says nothing. */
function plainValidated(lineage: readonly Ancestor[]): ReadonlySet<string> {
  const names = new Set<string>();
  for (const { class: of } of lineage) {
    for (const { decorator } of decoratedMethods(of)) {
      if (decorator.kind !== 'call' || !isExternal(decorator.callee, 'pydantic.field_validator')) continue;
      if (decorator.keywords.has('json_schema_input_type')) throw new NotKnown('a validator names its own input type');
      const mode = decorator.keywords.get('mode');
      if (mode?.kind !== 'str' || mode.value !== 'plain') continue;
      for (const argument of decorator.args) if (argument.kind === 'str') names.add(argument.value);
    }
  }
  return names;
}

/** Methods of a class's own body with each of their decorators. */
export function decoratedMethods(of: PythonClass): { readonly name: string; readonly decorator: Value }[] {
  return of.statement.body.flatMap((statement) => {
    if (statement.kind !== 'function') return [];
    return statement.decorators.map((decorator) => ({
      name: statement.name,
      decorator: evaluate(decorator, classScope(of), decorator.from),
    }));
  });
}

/** How pydantic names a type argument in the title of a generic model. */
function displayName(value: Value): string {
  if (value.kind === 'class') return value.class.statement.name;
  if (value.kind === 'external' && value.name.startsWith('builtins.')) return value.name.slice('builtins.'.length);
  if (value.kind === 'external' && value.name.startsWith('datetime.')) return value.name.slice('datetime.'.length);
  throw new NotKnown('the name of a generic model');
}

/** The constants of a `Literal` field, for tagged unions. */
function tagsOf(
  of: PythonClass,
  args: readonly Value[],
  field: string,
  read: TypeReader,
): readonly Value[] | undefined {
  const lineage = ancestry(of, bindTypeArguments(of, args));
  const found = modelFields(lineage, readConfig(lineage), read).find(({ name }) => name === field);
  if (found === undefined || found.shown !== field) return undefined;
  return found.type.kind === 'literal' ? found.type.values : undefined;
}
