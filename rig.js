import { runOnNode24 } from './scripts/bootstrap.js';

await runOnNode24('test/rig/cli.ts');
