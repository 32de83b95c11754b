import { unknown, type Value } from './value.ts';

/** A result longer than this is nothing a flow's signature says. */
const LONGEST = 100_000;

/** The value of `operator operand` for constants. */
export function applyUnary(operator: string, operand: Value): Value {
  if (operator === '-' || operator === '+') {
    const sign = operator === '-' ? -1 : 1;
    if (operand.kind === 'int') return { kind: 'int', value: BigInt(sign) * operand.value };
    if (operand.kind === 'float') return { kind: 'float', value: sign * operand.value };
    if (operand.kind === 'bool') return { kind: 'int', value: BigInt(sign) * (operand.value ? 1n : 0n) };
    if (operand.kind === 'call')
      return {
        kind: 'call',
        callee: unaryMinus,
        args: [operand],
        keywords: new Map(),
        complete: true,
        scope: undefined,
      };
  }
  if (operator === '~' && operand.kind === 'int') return { kind: 'int', value: ~operand.value };
  if (operator === 'not') {
    const truth = truthOf(operand);
    if (truth !== undefined) return { kind: 'bool', value: !truth };
  }
  return unknown(`the result of ${operator} is computed when the code runs`);
}

const unaryMinus: Value = { kind: 'external', name: 'operator.neg' };

/** The value of `left operator right` for constants, types (`|`) and paths (`/`). */
export function applyBinary(operator: string, left: Value, right: Value): Value {
  const computed = unknown(`the result of ${operator} is computed when the code runs`);
  if (left.kind === 'unknown' || left.kind === 'undefined') return left;
  if (right.kind === 'unknown' || right.kind === 'undefined') return right;
  if (operator === '|' && (isTypeLike(left) || isTypeLike(right))) {
    return { kind: 'union', items: [...unionItems(left), ...unionItems(right)] };
  }
  if (operator === 'and' || operator === 'or') {
    const truth = truthOf(left);
    if (truth === undefined) return computed;
    return truth === (operator === 'and') ? right : left;
  }
  if (operator === '/' && isPath(left)) {
    return { ...left, args: [...left.args, right] };
  }
  if (operator === '+') {
    if (left.kind === 'str' && right.kind === 'str') return { kind: 'str', value: left.value + right.value };
    if (left.kind === 'list' && right.kind === 'list') return { kind: 'list', items: [...left.items, ...right.items] };
    if (left.kind === 'tuple' && right.kind === 'tuple')
      return { kind: 'tuple', items: [...left.items, ...right.items] };
  }
  if (operator === '*') {
    if (left.kind === 'str' && right.kind === 'int') return repeated(left.value, right.value) ?? computed;
    if (left.kind === 'int' && right.kind === 'str') return repeated(right.value, left.value) ?? computed;
  }
  return arithmetic(operator, left, right) ?? computed;
}

function repeated(text: string, times: bigint): Value | undefined {
  if (times <= 0n) return { kind: 'str', value: '' };
  return BigInt(text.length) * times > LONGEST ? undefined : { kind: 'str', value: text.repeat(Number(times)) };
}

function isPath(value: Value): value is Value & { kind: 'call' } {
  return value.kind === 'call' && value.callee.kind === 'external' && value.callee.name.startsWith('pathlib.');
}

/** Calls whose results can stand beside `|`. */
const MADE_TYPES: readonly string[] = ['typing.TypeVar', 'typing.NewType', 'typing.TypeAliasType'];

function isTypeLike(value: Value): boolean {
  switch (value.kind) {
    case 'external':
    case 'class':
    case 'subscript':
    case 'union':
    case 'alias':
      return true;
    case 'call':
      return value.callee.kind === 'external' && MADE_TYPES.includes(value.callee.name);
    default:
      return false;
  }
}

function unionItems(value: Value): readonly Value[] {
  return value.kind === 'union' ? value.items : [value];
}

/** Python's truth of a constant; undefined when it is not known. */
export function truthOf(value: Value): boolean | undefined {
  switch (value.kind) {
    case 'none':
      return false;
    case 'bool':
      return value.value;
    case 'int':
      return value.value !== 0n;
    case 'float':
      return value.value !== 0;
    case 'str':
    case 'bytes':
      return value.value !== '';
    case 'list':
    case 'tuple':
    case 'set':
    case 'frozenset':
      return value.items.length > 0;
    case 'dict':
      return value.entries.length > 0;
    case 'class':
    case 'function':
    case 'lambda':
    case 'ellipsis':
      return true;
    default:
      return undefined;
  }
}

function arithmetic(operator: string, left: Value, right: Value): Value | undefined {
  const a = numberOf(left);
  const b = numberOf(right);
  if (a === undefined || b === undefined) return undefined;
  if (typeof a === 'bigint' && typeof b === 'bigint') {
    const whole = wholeArithmetic(operator, a, b);
    if (whole !== undefined) return { kind: 'int', value: whole };
  }
  const x = Number(a);
  const y = Number(b);
  if (operator === '+') return { kind: 'float', value: x + y };
  if (operator === '-') return { kind: 'float', value: x - y };
  if (operator === '*') return { kind: 'float', value: x * y };
  if (operator === '/' && y !== 0) return { kind: 'float', value: x / y };
  return undefined;
}

function numberOf(value: Value): bigint | number | undefined {
  if (value.kind === 'int' || value.kind === 'float') return value.value;
  if (value.kind === 'bool') return value.value ? 1n : 0n;
  return undefined;
}

function wholeArithmetic(operator: string, a: bigint, b: bigint): bigint | undefined {
  const small = b >= 0n && b <= 1024n && a > -(1n << 64n) && a < 1n << 64n;
  switch (operator) {
    case '+':
      return a + b;
    case '-':
      return a - b;
    case '*':
      return a * b;
    case '**':
      return small ? a ** b : undefined;
    case '<<':
      return small ? a << b : undefined;
    case '>>':
      return small ? a >> b : undefined;
    case '|':
      return a | b;
    case '&':
      return a & b;
    case '^':
      return a ^ b;
    // Python rounds towards minus infinity, JavaScript towards zero.
    case '//':
      return b === 0n ? undefined : (a - (((a % b) + b) % b)) / b;
    case '%':
      return b === 0n ? undefined : ((a % b) + b) % b;
    default:
      return undefined;
  }
}
