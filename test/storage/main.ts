import { startVitest } from 'vitest/node';
import { createContainer, startAzurite } from './servers/azurite.js';
import { createGoogleBucket, startFakeGcs } from './servers/fake-gcs.js';
import { createMotoBucket, startMoto } from './servers/moto.js';
import type { Started } from './servers/server-process.js';

/** A kind of store that is tried on a real server. */
interface Trial {
  store: string;
  start: () => Promise<Started>;
  /** Makes the bucket that the tests expect. */
  prepare: (endpoint: string) => Promise<void>;
  tests: readonly string[];
  /** The variable in which its tests find the endpoint. */
  variable: string;
  /** Where the command line finds credentials that open nothing. */
  credentials: Record<string, string>;
  /** What its server cannot show, as plain words. */
  unshown?: string;
}

const TRIALS: readonly Trial[] = [
  {
    store: 'S3 (moto)',
    start: startMoto,
    prepare: (endpoint) => createMotoBucket(endpoint, 'lake'),
    tests: ['test/storage/s3.on-server.ts', 'test/storage/dump.on-server.ts', 'test/crash/s3.on-server.ts'],
    variable: 'S3_ENDPOINT',
    credentials: { AWS_ACCESS_KEY_ID: 'AKIAOFNOBODY', AWS_SECRET_ACCESS_KEY: 'opens nothing' },
  },
  {
    store: 'Azure (azurite)',
    start: startAzurite,
    prepare: (endpoint) => createContainer(endpoint, 'lake'),
    tests: ['test/storage/azure.on-server.ts'],
    variable: 'AZURE_ENDPOINT',
    credentials: {},
  },
  {
    store: 'Google (fake-gcs-server)',
    start: startFakeGcs,
    prepare: (endpoint) => createGoogleBucket(endpoint, 'lake'),
    tests: ['test/storage/google.on-server.ts', 'test/storage/google-dump.on-server.ts'],
    variable: 'GOOGLE_ENDPOINT',
    credentials: {},
    unshown:
      "its own uploads in parts, If-Match and pages, which it lacks: test/storage/servers/google-front.ts answers as Google's manual says",
  },
];

for (const { store, start, prepare, tests, variable, credentials, unshown } of TRIALS) {
  const server = await start();
  if ('missing' in server) {
    console.log(`not run: ${store}: ${server.missing}`);
    continue;
  }
  if (unshown !== undefined) console.log(`not run: ${store}: ${unshown}`);
  try {
    await prepare(server.endpoint);
    const vitest = await startVitest('test', [], {
      config: false,
      include: [...tests],
      watch: false,
      testTimeout: 60_000,
      hookTimeout: 60_000,
      env: { ...credentials, [variable]: server.endpoint },
    });
    await vitest.close();
  } finally {
    await server.stop();
  }
}
