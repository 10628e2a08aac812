import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    exclude: ['**/*.deep.test.ts'],
    globalSetup: 'test/build.ts',
    testTimeout: 30_000,
    maxWorkers: 3, // much of a test's time is waiting: for the budget, for a server that is slow on purpose
  },
});
