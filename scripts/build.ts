import { resolve } from 'node:path';
import { buildAction } from './build-action.ts';
import { buildWorker } from './build-worker.ts';

/** `npm run build`: dist/ (the bundled action, committed) and worker/dist (not committed). */
const begin = Date.now();
await buildAction(resolve(import.meta.dirname, '../dist'));
await buildWorker();
console.log(`built dist/ and worker/dist in ${((Date.now() - begin) / 1000).toFixed(1)} s`);
