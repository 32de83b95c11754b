import { parseArgs } from 'node:util';
import { benchDeploy, entrySize, type Side } from './deploy.ts';
import { table, targets } from './deploy-table.ts';
import { OptionError } from './option-error.ts';

export const DEPLOY_USAGE = 'npm run bench -- deploy [--sizes 1,10,100] [--large] [--only-action]';

/** `deploy`: what a deploy costs, beside the real Prefect CLI. `--large` adds 500 entries. @returns tables. */
export async function deployCommand(args: readonly string[], signal: AbortSignal): Promise<string> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      sizes: { type: 'string', default: '1,10,100' },
      large: { type: 'boolean', default: false },
      'only-action': { type: 'boolean', default: false },
    },
  });
  const sizes = [...values.sizes.split(',').map(Number), ...(values.large ? [500] : [])];
  if (!sizes.every((size) => Number.isSafeInteger(size) && size > 0))
    throw new OptionError('--sizes are whole numbers');
  const sides: Side[] = values['only-action'] ? ['action'] : ['prefect', 'action'];
  const figures = await benchDeploy(sizes, sides, signal);
  return `${table(figures)}\n\n${targets(figures, await entrySize())}`;
}
