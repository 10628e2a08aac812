import { describe, expect, it } from 'vitest';
import { StorageError } from '../../src/errors.js';
import { openBucket } from '../../src/storage/bucket.js';
import { once } from '../../src/storage/storage.js';
import { type Answer, startAnswering } from './answering-server.js';
import { bytesOf, listing, readText } from './objects.js';
import { ACCESS_KEY, bucketAt, SECRET } from './s3-bucket.js';

/** As S3 refuses; some of its answers quote the key and what was signed. */
const refusal = (status: number, code: string): Answer => ({
  status,
  headers: { 'content-type': 'application/xml' },
  body: `<?xml version="1.0"?><Error><Code>${code}</Code><Message>No, ${ACCESS_KEY}.</Message><AWSAccessKeyId>${ACCESS_KEY}</AWSAccessKeyId></Error>`,
});

describe('a bucket that refuses', () => {
  it.each([
    [403, 'AccessDenied', 'storage_denied', 'config', 'not allowed'],
    [403, 'InvalidAccessKeyId', 'storage_credentials_refused', 'config', 'Set the credentials.'],
    [403, 'SignatureDoesNotMatch', 'storage_credentials_refused', 'config', 'Set the credentials.'],
    [400, 'ExpiredToken', 'storage_credentials_refused', 'config', 'Set the credentials.'],
    [404, 'NoSuchBucket', 'storage_bucket_missing', 'config', 'no such bucket'],
    [301, 'PermanentRedirect', 'storage_region_wrong', 'config', 'region'],
    [400, 'AuthorizationHeaderMalformed', 'storage_region_wrong', 'config', 'region'],
    [500, 'InternalError', 'storage_busy', 'transient', 'try again later'],
    [503, 'SlowDown', 'storage_busy', 'transient', 'try again later'],
    [400, 'EntityTooLarge', 'storage_failed', 'system', 'Check the bucket'],
  ])('with %d %s says so in one sentence', async (status, storeCode, code, failure, advice) => {
    await using server = await startAnswering(() => refusal(status, storeCode));
    const storage = await openBucket(bucketAt(server.endpoint));
    for (const attempt of [
      () => storage.write('key', once(bytesOf('x'))),
      () => storage.create('key', bytesOf('x')),
      () => listing(storage, 'folder'),
    ]) {
      const error = await attempt().catch((thrown: unknown) => thrown);
      expect(error).toBeInstanceOf(StorageError);
      expect(error).toMatchObject({
        code,
        failure,
        message: expect.stringMatching(
          new RegExp(`s3://lake/root/\\w+ failed \\(${storeCode}\\)\\. .*${advice}`),
        ),
      });
      expect(everythingOf(error)).not.toMatch(new RegExp(`${ACCESS_KEY}|${SECRET}|127\\.0\\.0\\.1`));
    }
  });

  it('for the moment is asked again', async () => {
    await using server = await startAnswering((_, nth) =>
      nth < 1 ? refusal(503, 'SlowDown') : { status: 200, headers: { etag: '"x"' } },
    );
    const storage = await openBucket(bucketAt(server.endpoint));
    await expect(storage.write('key', once(bytesOf('x')))).resolves.toMatchObject({ bytes: 1 });
    expect(server.asked).toHaveLength(2);
  });

  it('because it cannot be reached is reported with its address, and may be tried later', async () => {
    const gone = await startAnswering(() => 'hang up');
    await gone[Symbol.asyncDispose]();
    const storage = await openBucket(bucketAt(gone.endpoint));
    await expect(storage.write('key', once(bytesOf('x')))).rejects.toMatchObject({
      code: 'storage_unreachable',
      exitCode: 75,
      message: expect.stringContaining(`cannot be reached: check the option endpoint`),
    });
  });

  it('without credentials says where they come from, and asks nothing', async () => {
    await using server = await startAnswering(() => ({ status: 200 }));
    const { options, ...rest } = bucketAt(server.endpoint);
    const { access_key_id: _id, secret_access_key: _secret, ...anonymous } = options;
    const storage = await openBucket({ ...rest, options: anonymous });
    await expect(storage.write('key', once(bytesOf('x')))).rejects.toMatchObject({
      code: 'storage_credentials_missing',
      exitCode: 2,
      message: expect.stringContaining('Set the credentials.'),
    });
    expect(server.asked).toEqual([]);
  });
});

describe('a large object', () => {
  it('is uploaded in memory that does not grow with it', async () => {
    await using server = await startAnswering(({ url }) => ({
      status: 200,
      headers: { etag: '"x"' },
      body: url.endsWith('?uploads')
        ? '<InitiateMultipartUploadResult><UploadId>u</UploadId></InitiateMultipartUploadResult>'
        : '<CompleteMultipartUploadResult><ETag>x</ETag></CompleteMultipartUploadResult>',
    }));
    const storage = await openBucket(bucketAt(server.endpoint));
    const before = process.memoryUsage.rss();
    let peak = before;
    async function* pieces() {
      for (let megabytes = 0; megabytes < 400; megabytes++) {
        yield Buffer.alloc(1_000_000);
        peak = Math.max(peak, process.memoryUsage.rss());
      }
    }
    await expect(storage.write('key', pieces())).resolves.toMatchObject({ bytes: 400_000_000 });
    expect((peak - before) / 1e6).toBeLessThan(250);
  });
});

describe('create, when the answer was lost', () => {
  const MARK = 'x-amz-meta-creation';

  it('knows its own object by the mark', async () => {
    let mark = '';
    await using server = await startAnswering(({ method, headers }, nth) => {
      if (method === 'HEAD') return { status: 200, headers: { [MARK]: mark, 'content-length': '1' } };
      if (nth > 0) return refusal(412, 'PreconditionFailed');
      mark = String(headers[MARK]);
      return 'hang up';
    });
    const storage = await openBucket(bucketAt(server.endpoint));
    expect(await storage.create('key', bytesOf('x'))).toBe(true);
    expect(server.asked.map(({ method }) => method)).toEqual(['PUT', 'PUT', 'HEAD']);
    expect(server.asked[0]?.headers['if-none-match']).toBe('*');
  });

  it('knows another one by its mark, too', async () => {
    await using server = await startAnswering(({ method }, nth) => {
      if (method === 'HEAD') return { status: 200, headers: { [MARK]: 'of another', 'content-length': '1' } };
      return nth > 0 ? refusal(412, 'PreconditionFailed') : 'hang up';
    });
    const storage = await openBucket(bucketAt(server.endpoint));
    expect(await storage.create('key', bytesOf('x'))).toBe(false);
  });

  it('claims nothing when the store accepted nobody', async () => {
    await using server = await startAnswering(({ method }) =>
      method === 'HEAD' ? { status: 404 } : refusal(409, 'ConditionalRequestConflict'),
    );
    const storage = await openBucket(bucketAt(server.endpoint));
    await expect(storage.create('key', bytesOf('x'))).rejects.toMatchObject({
      code: 'storage_changed',
      failure: 'transient',
    });
  });
});

describe('a server that is no object store', () => {
  it('is refused by the probe', async () => {
    await using server = await startAnswering(() => ({ status: 200, body: '<html>Please log in.</html>' }));
    const storage = await openBucket(bucketAt(server.endpoint));
    await expect(storage.probe?.()).rejects.toMatchObject({ code: 'create_if_absent_ignored' });
  });
});

describe('a body that ends early', () => {
  it('is continued where it ended, tied to the same version', async () => {
    await using server = await startAnswering(({ method, headers }) => {
      if (method === 'HEAD') return { status: 200, headers: { 'content-length': '10', etag: '"v1"' } };
      if (headers.range === 'bytes=5-') return { status: 206, headers: { etag: '"v1"' }, body: '56789' };
      return { status: 200, headers: { 'content-length': '10', etag: '"v1"' }, body: '01234', cut: true };
    });
    const storage = await openBucket(bucketAt(server.endpoint));
    expect(await readText(storage, 'key')).toBe('0123456789');
    const matches = server.asked
      .filter(({ method }) => method === 'GET')
      .map(({ headers }) => headers['if-match']);
    expect(matches).toEqual(['"v1"', '"v1"']);
  });

  it('is read again when the object was replaced meanwhile', async () => {
    let version = '"v1"';
    await using server = await startAnswering(({ method, headers }) => {
      if (method === 'HEAD') return { status: 200, headers: { 'content-length': '10', etag: version } };
      if (headers['if-match'] !== version) return refusal(412, 'PreconditionFailed');
      if (version === '"v2"') return { status: 200, headers: { etag: version }, body: 'the new one' };
      version = '"v2"';
      return { status: 200, headers: { 'content-length': '10', etag: '"v1"' }, body: '01234', cut: true };
    });
    const storage = await openBucket(bucketAt(server.endpoint));
    expect(await readText(storage, 'key')).toBe('the new one');
  });
});

describe('opening a bucket', () => {
  it('says which package is missing', async () => {
    const absent = () => Promise.reject(new Error('Cannot find package'));
    await expect(openBucket(bucketAt('http://127.0.0.1:9'), absent)).rejects.toMatchObject({
      name: 'ConfigError',
      code: 'opendal_missing',
      message: expect.stringMatching(
        /^s3:\/\/lake\/root needs the optional package opendal.*npm install opendal@0\.49\.2/,
      ),
    });
  });

  it('says which option is missing or not valid', async () => {
    const { region: _region, ...options } = bucketAt('http://127.0.0.1:9').options;
    const codeOf = { code: 'storage_options_invalid' };
    await expect(openBucket({ ...bucketAt(''), options })).rejects.toMatchObject({
      ...codeOf,
      message: expect.stringContaining('the option region is missing'),
    });
    const invalid = bucketAt('http://127.0.0.1:9', { allow_anonymous: 'perhaps' });
    await expect(openBucket(invalid)).rejects.toMatchObject({
      ...codeOf,
      message: expect.stringContaining('the option allow_anonymous is not valid'),
    });
  });
});

/** What any log could show of an error. */
const everythingOf = (error: unknown): string => {
  const { message, stack, cause } = error as Error;
  return [message, stack, JSON.stringify(error), String(cause), (cause as Error | undefined)?.stack].join(
    '\n',
  );
};
