/**
 * `npm run bench -- deploy [--sizes 1,10,100] [--large] [--only-action]`: what a deploy costs, beside the real Prefect CLI in
 * the same run, and whether the targets are met. `--large` adds 500 entries. The action is dist/, as committed.
 */
import { parseArgs } from 'node:util';
import { benchDeploy, entrySize, type Side } from './deploy.ts';
import { table, targets } from './table.ts';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    sizes: { type: 'string', default: '1,10,100' },
    large: { type: 'boolean', default: false },
    'only-action': { type: 'boolean', default: false },
  },
});
if (positionals.length !== 1 || positionals[0] !== 'deploy') {
  throw new Error('usage: npm run bench -- deploy [--sizes 1,10,100] [--large] [--only-action]');
}
const sizes = [...values.sizes.split(',').map(Number), ...(values.large ? [500] : [])];
if (!sizes.every((size) => Number.isSafeInteger(size) && size > 0)) throw new Error('--sizes are whole numbers');

const stopping = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stopping.abort(new Error(signal)));
const sides: Side[] = values['only-action'] ? ['action'] : ['prefect', 'action'];
const figures = await benchDeploy(sizes, sides, stopping.signal);
console.log(`\n${table(figures)}\n\n${targets(figures, await entrySize())}`);
