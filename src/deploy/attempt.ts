import type { Position } from '../project/model.ts';

/**
 * Makes one write. One that fails at last is noted with what it was about and where that stands in the file, and
 * resolves with undefined: the others go on (design.md, difference 13). Rejects only when the job is cancelled.
 */
export type Attempt = <T>(what: string, where: Position | undefined, write: () => Promise<T>) => Promise<T | undefined>;
