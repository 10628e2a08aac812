import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { defineConfig } from 'vitest/config';

const TEST = join(import.meta.dirname, 'test');

/** The tests whose properties are tried with more random cases than `npm test` takes the time for. */
const include = readdirSync(TEST, { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.test.ts'))
  .filter((name) => readFileSync(join(TEST, name), 'utf8').includes('/property-runs.js'))
  .map((name) => join('test', name));

export default defineConfig({
  test: {
    include,
    env: { PROPERTY_RUNS: '4' },
    globalSetup: 'test/build.ts',
    testTimeout: 120_000,
  },
});
