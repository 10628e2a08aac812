import { randomUUID } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { openStorage } from '../../src/storage/index.js';
import { bucketContract } from './bucket-contract.js';
import { motoOptions } from './servers/moto.js';
import { startProxy } from './servers/proxy.js';

const endpoint = process.env.S3_ENDPOINT ?? '';
const open = (at: string, prefix: string, bucket = 'lake') =>
  openStorage(`s3://${bucket}/${prefix}`, motoOptions(at));

describe('a bucket on S3', () => {
  bucketContract({ endpoint, open, put: 'PUT', probing: ['PUT', 'HEAD'] });

  it('is refused by the probe when it ignores create-if-absent', async () => {
    await using proxy = await startProxy(endpoint, {
      change: ({ 'if-none-match': _condition, ...headers }) => headers,
    });
    const storage = await open(proxy.endpoint, randomUUID());
    await expect(storage.probe?.()).rejects.toMatchObject({
      name: 'ConfigError',
      code: 'create_if_absent_ignored',
      message: expect.stringMatching(
        /ignores create-if-absent.*every commit depends.*Choose another store\.$/,
      ),
    });
  });
});
