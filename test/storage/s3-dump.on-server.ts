import { randomUUID } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { startFixtureApi } from '../../fixtures/api/index.js';
import { openStorage } from '../../src/index.js';
import { temporaryFolder } from '../run/support/tree.js';
import { type BucketPlace, bucketDumpContract } from './bucket-dump-contract.js';
import { commandLine, dumpFlags } from './dump-place.js';
import { listing } from './objects.js';
import { motoOptions } from './servers/moto.js';
import { startProxy } from './servers/proxy.js';

const endpoint = process.env.S3_ENDPOINT ?? '';

/** The key of the bucket is in the environment, where opendal finds it. */
const place: BucketPlace = {
  endpoint,
  newRoot: () => `s3://lake/${randomUUID()}`,
  missingRoot: 's3://no-such-bucket/x',
  open: (root) => openStorage(root, motoOptions(endpoint)),
  flags: (at = endpoint) => ['--storage-option', `endpoint=${at}`, '--storage-option', 'region=us-east-1'],
  environment() {
    const { AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY } = process.env;
    return { AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY };
  },
  put: 'PUT',
};

describe('on S3', () => {
  bucketDumpContract(place);

  it('a store that ignores create-if-absent is refused, and nothing is published', async () => {
    await using api = await startFixtureApi({ sizes: [3] });
    await using machine = await temporaryFolder();
    await using proxy = await startProxy(endpoint, {
      change: ({ 'if-none-match': _condition, ...headers }) => headers,
    });
    const root = place.newRoot();
    const call = { home: machine.path, api, endpoint: proxy.endpoint };
    const { code, text } = await commandLine(place).run('dump', dumpFlags(root), call);
    expect([code, text]).toEqual([2, expect.stringContaining('[create_if_absent_ignored]')]);
    expect(api.requests).toEqual([]);
    expect(Object.keys(await listing(await place.open(root), ''))).toEqual(['_runs/probe.json']);
  });
});
