import { startVitest } from 'vitest/node';
import { createContainer, startAzurite } from './servers/azurite.js';
import { createMotoBucket, startMoto } from './servers/moto.js';
import type { Started } from './servers/server-process.js';

/** A kind of store that is tried on a real server. */
interface Trial {
  store: string;
  start: () => Promise<Started>;
  /** Makes the bucket that the tests expect. */
  prepare: (endpoint: string) => Promise<void>;
  tests: string;
  /** Where its tests find the endpoint. */
  variable: string;
}

const TRIALS: readonly Trial[] = [
  {
    store: 'S3 (moto)',
    start: startMoto,
    prepare: (endpoint) => createMotoBucket(endpoint, 'lake'),
    tests: 'test/storage/s3.on-server.ts',
    variable: 'S3_ENDPOINT',
  },
  {
    store: 'Azure (azurite)',
    start: startAzurite,
    prepare: (endpoint) => createContainer(endpoint, 'lake'),
    tests: 'test/storage/azure.on-server.ts',
    variable: 'AZURE_ENDPOINT',
  },
];

for (const { store, start, prepare, tests, variable } of TRIALS) {
  const server = await start();
  if ('missing' in server) {
    console.log(`not run: ${store}: ${server.missing}`);
    continue;
  }
  try {
    await prepare(server.endpoint);
    const vitest = await startVitest('test', [], {
      config: false,
      include: [tests],
      watch: false,
      testTimeout: 60_000,
      hookTimeout: 60_000,
      env: { [variable]: server.endpoint },
    });
    await vitest.close();
  } finally {
    await server.stop();
  }
}
