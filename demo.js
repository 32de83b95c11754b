import { runOnNode24 } from './scripts/bootstrap.js';

await runOnNode24('scripts/demo.ts');
