/**
 * How far one evaluation goes. A few lines of Python can describe a type or a value of any size
 * (`A1 = dict[str, A0 | list[A0]]`, forty times over), and names can refer to each other in any depth; neither may
 * hang or crash the action. Evaluation is synchronous, so one counter serves: `begin` sets it back, `spend` counts a
 * step. What lies beyond the limits is unknown, never an error.
 */

/** About a second of work. */
const STEPS = 1_000_000;

/** Deeper chains of names than anybody writes, and far from the end of the stack. */
const DEEPEST = 150;

let steps = 0;
let depth = 0;

/** Begins a new evaluation. */
export function begin(): void {
  steps = 0;
  depth = 0;
}

/** Counts one step; false when there are none left. */
export function spend(): boolean {
  steps += 1;
  return steps <= STEPS;
}

/** Runs something one name deeper; `tooDeep` is the answer when that is too deep. */
export function deeper<T>(tooDeep: T, run: () => T): T {
  if (depth >= DEEPEST) return tooDeep;
  depth += 1;
  try {
    return run();
  } finally {
    depth -= 1;
  }
}
