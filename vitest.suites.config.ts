import { defineConfig } from 'vitest/config';

/** Suites that need more than Node and npm, or minutes; each has a `test:` script of its own. */
export default defineConfig({
  test: {
    include: ['test/**/*.suite.ts'],
    globalSetup: 'test/build.ts',
    testTimeout: 600_000,
    hookTimeout: 600_000,
    fileParallelism: false,
  },
});
