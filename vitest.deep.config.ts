import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { defineConfig } from 'vitest/config';

const TEST = join(import.meta.dirname, 'test');

/**
 * Tests that need only Node and npm, and take longer than `npm test` may: `*.deep.test.ts`, and those whose properties are worth
 * more random cases.
 */
const include = readdirSync(TEST, { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.test.ts'))
  .filter(
    (name) =>
      name.endsWith('.deep.test.ts') || readFileSync(join(TEST, name), 'utf8').includes("/property-runs.js'"),
  )
  .map((name) => join('test', name));

export default defineConfig({
  test: {
    include,
    env: { PROPERTY_RUNS: '3' },
    globalSetup: 'test/build.ts',
    testTimeout: 120_000,
    hookTimeout: 60_000,
    maxWorkers: 3,
  },
});
