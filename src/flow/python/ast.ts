/**
 * The part of Python's syntax that decides what a flow looks like, as plain values. Offsets count UTF-16 units from
 * the start of the (newline-normalised) source. What no rule looks at is `other`: present, and not understood.
 */

export interface Span {
  readonly from: number;
  readonly to: number;
}

export type Expression = Span &
  (
    | { readonly kind: 'name'; readonly id: string }
    | { readonly kind: 'attribute'; readonly value: Expression; readonly name: string }
    | { readonly kind: 'call'; readonly callee: Expression; readonly args: readonly Argument[] }
    | { readonly kind: 'subscript'; readonly value: Expression; readonly items: readonly Expression[] }
    | { readonly kind: 'string'; readonly value: string }
    /** One character per byte. */
    | { readonly kind: 'bytes'; readonly value: string }
    | { readonly kind: 'format'; readonly parts: readonly (string | Expression)[] }
    | { readonly kind: 'number'; readonly text: string }
    | { readonly kind: 'none' }
    | { readonly kind: 'boolean'; readonly value: boolean }
    | { readonly kind: 'ellipsis' }
    | { readonly kind: 'list' | 'tuple' | 'set'; readonly items: readonly Expression[] }
    | { readonly kind: 'starred'; readonly value: Expression }
    | { readonly kind: 'dict'; readonly entries: readonly DictEntry[] }
    | { readonly kind: 'unary'; readonly operator: string; readonly operand: Expression }
    | { readonly kind: 'binary'; readonly operator: string; readonly left: Expression; readonly right: Expression }
    | {
        readonly kind: 'conditional';
        readonly test: Expression;
        readonly body: Expression;
        readonly otherwise: Expression;
      }
    | { readonly kind: 'lambda'; readonly parameters: readonly Parameter[]; readonly body: Expression }
    | { readonly kind: 'other'; readonly what: string }
  );

/** `key: value`, or `**value` when there is no key. */
export interface DictEntry {
  readonly key: Expression | undefined;
  readonly value: Expression;
}

export type Argument =
  | { readonly kind: 'positional'; readonly value: Expression }
  | { readonly kind: 'keyword'; readonly name: string; readonly value: Expression; readonly from: number }
  /** `*value` */
  | { readonly kind: 'star'; readonly value: Expression }
  /** `**value` */
  | { readonly kind: 'double-star'; readonly value: Expression };

export interface Parameter extends Span {
  readonly name: string;
  readonly kind: 'plain' | 'star' | 'double-star';
  readonly annotation: Expression | undefined;
  readonly default: Expression | undefined;
}

/** `T: bound` of `def f[T: bound]` (PEP 695). */
export interface TypeParameter {
  readonly name: string;
  readonly bound: Expression | undefined;
}

export interface FunctionStatement extends Span {
  readonly kind: 'function';
  readonly name: string;
  readonly nameAt: number;
  readonly async: boolean;
  readonly decorators: readonly Expression[];
  readonly typeParameters: readonly TypeParameter[];
  readonly parameters: readonly Parameter[];
  readonly returns: Expression | undefined;
  readonly docstring: string | undefined;
  /** Where the header ends and the body begins. */
  readonly bodyFrom: number;
  /** The body's statements, read when asked for: most functions' bodies decide nothing. */
  readonly body: () => readonly Statement[];
}

export interface ClassStatement extends Span {
  readonly kind: 'class';
  readonly name: string;
  readonly nameAt: number;
  readonly decorators: readonly Expression[];
  readonly args: readonly Argument[];
  readonly typeParameters: readonly TypeParameter[];
  readonly docstring: string | undefined;
  readonly body: readonly Statement[];
}

export type Statement =
  | FunctionStatement
  | ClassStatement
  | (Span &
      (
        | {
            readonly kind: 'assign';
            readonly targets: readonly Expression[];
            readonly annotation: Expression | undefined;
            readonly value: Expression | undefined;
          }
        | { readonly kind: 'update'; readonly target: Expression }
        | { readonly kind: 'delete'; readonly targets: readonly Expression[] }
        | { readonly kind: 'import'; readonly names: readonly { readonly module: string; readonly alias?: string }[] }
        | {
            readonly kind: 'from';
            readonly level: number;
            readonly module: string;
            readonly names: '*' | readonly { readonly name: string; readonly alias?: string }[];
          }
        /** `test` is undefined for `else`. */
        | {
            readonly kind: 'if';
            readonly branches: readonly {
              readonly test: Expression | undefined;
              readonly body: readonly Statement[];
            }[];
          }
        | {
            readonly kind: 'try';
            /** `try` and `else` together. */
            readonly body: readonly Statement[];
            readonly handlers: readonly (readonly Statement[])[];
            readonly last: readonly Statement[];
          }
        | { readonly kind: 'with'; readonly targets: readonly string[]; readonly body: readonly Statement[] }
        /** for, while, match: the body may run any number of times. */
        | { readonly kind: 'maybe'; readonly targets: readonly string[]; readonly body: readonly Statement[] }
        | { readonly kind: 'expression'; readonly value: Expression }
        | {
            readonly kind: 'type';
            readonly name: string;
            readonly generic: boolean;
            readonly value: Expression;
          }
        | { readonly kind: 'return'; readonly value: Expression | undefined }
        | { readonly kind: 'raise' }
        | { readonly kind: 'other' }
      ));
