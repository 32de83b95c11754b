import { defineConfig } from 'vitest/config';

/** Unit tests stand beside their file; what needs the rig is under test/ and runs one file at a time, on one rig. */
export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: 'house',
          sequence: { groupOrder: 1 },
          include: ['test/house/**/*.test.ts'],
          testTimeout: 300_000,
        },
      },
      {
        test: {
          name: 'unit',
          sequence: { groupOrder: 0 },
          include: [
            'src/**/*.test.ts',
            'prefect/**/*.test.ts',
            'worker/src/**/*.test.ts',
            'test/rig/**/*.test.ts',
            'test/clouds/**/*.test.ts',
            'test/chaos/**/*.test.ts',
            'test/bench/**/*.test.ts',
            'test/fuzz/**/*.test.ts',
            'test/differential/worker/**/*.test.ts',
            'test/differential/deploy/judge.test.ts',
          ],
          testTimeout: 20_000,
        },
      },
      {
        test: {
          name: 'e2e',
          sequence: { groupOrder: 2 },
          include: ['test/e2e/**/*.test.ts', 'test/differential/deploy/deploy.test.ts'],
          fileParallelism: false,
          testTimeout: 180_000,
          hookTimeout: 600_000,
          globalSetup: ['test/e2e/rig.setup.ts'],
        },
      },
    ],
  },
});
