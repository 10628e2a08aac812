import { startVitest } from 'vitest/node';
import { setup } from '../build.js';
import { azuriteOptions, createContainer, startAzurite } from './servers/azurite.js';
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
  /** The variables in which the command line finds credentials. */
  credentials: Record<string, string>;
  /** What its server cannot show, in plain words. */
  notShown?: string;
}

const TRIALS: readonly Trial[] = [
  {
    store: 'S3 (moto)',
    start: startMoto,
    prepare: (endpoint) => createMotoBucket(endpoint, 'lake'),
    tests: [
      'test/storage/s3.on-server.ts',
      'test/storage/s3-dump.on-server.ts',
      'test/crash/s3.on-server.ts',
    ],
    variable: 'S3_ENDPOINT',
    credentials: { AWS_ACCESS_KEY_ID: 'AKIAOFNOBODY', AWS_SECRET_ACCESS_KEY: 'opens nothing' },
  },
  {
    store: 'Azure (azurite)',
    start: startAzurite,
    prepare: (endpoint) => createContainer(endpoint, 'lake'),
    tests: ['test/storage/azure.on-server.ts', 'test/storage/azure-dump.on-server.ts'],
    variable: 'AZURE_ENDPOINT',
    credentials: {
      AZBLOB_ACCOUNT_NAME: azuriteOptions('').account_name ?? '',
      AZBLOB_ACCOUNT_KEY: azuriteOptions('').account_key ?? '',
    },
  },
  {
    store: 'Google (fake-gcs-server)',
    start: startFakeGcs,
    prepare: (endpoint) => createGoogleBucket(endpoint, 'lake'),
    tests: ['test/storage/google.on-server.ts', 'test/storage/google-dump.on-server.ts'],
    variable: 'GOOGLE_ENDPOINT',
    credentials: {},
    notShown:
      "its own uploads in parts, If-Match and pages, which it lacks: test/storage/servers/google-front.ts answers as Google's manual says",
  },
];

// `npm run test:storage -- azure`: one store.
const [asked = ''] = process.argv.slice(2);
const trials = TRIALS.filter(({ store }) => store.toLowerCase().includes(asked.toLowerCase()));

setup(); // a dump that is killed is the built command
for (const { store, start, prepare, tests, variable, credentials, notShown } of trials) {
  const server = await start();
  if ('missing' in server) {
    console.log(`not run: ${store}: ${server.missing}`);
    continue;
  }
  if (notShown !== undefined) console.log(`not run: ${store}: ${notShown}`);
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
