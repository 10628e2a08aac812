import { describe, expect, it } from 'vitest';
import { StorageError } from '../../src/errors.js';
import { openBucket } from '../../src/storage/bucket.js';
import { bucketError } from '../../src/storage/bucket-error.js';
import { once, type Storage } from '../../src/storage/storage.js';
import { type Answer, startAnswering } from './answering-server.js';
import { bytesOf, listing, readText } from './objects.js';

const TOKEN = 'ya29.opens-nothing';
const ACCOUNT = 'nobody@project.iam.gserviceaccount.com';

const bucketAt = (endpoint: string): Promise<Storage> =>
  openBucket({
    service: 'gcs',
    location: 'gs://lake/root',
    credentials: 'Set the credentials.',
    options: { bucket: 'lake', root: '/root', endpoint, token: TOKEN },
    retries: 1,
  });

/** As the JSON API refuses; it quotes the account. */
const refusal = (status: number, reason: string, message = `No, ${ACCOUNT}.`): Answer => ({
  status,
  headers: { 'content-type': 'application/json' },
  body: JSON.stringify({
    error: { code: status, message, errors: [{ message, domain: 'global', reason }] },
  }),
});

/** As the XML API refuses, which takes uploads in parts. */
const refusalInXml = (status: number, code: string): Answer => ({
  status,
  headers: { 'content-type': 'application/xml' },
  body: `<?xml version='1.0' encoding='UTF-8'?><Error><Code>${code}</Code><Message>No.</Message><Details>${ACCOUNT}</Details></Error>`,
});

const failureOf = (attempt: Promise<unknown>): Promise<unknown> => attempt.catch((thrown: unknown) => thrown);

function expectPlain(error: unknown): void {
  expect(error).toBeInstanceOf(StorageError);
  const { message, stack, cause } = error as Error;
  expect([message, stack, String(cause)].join('\n')).not.toMatch(
    new RegExp(`${TOKEN}|${ACCOUNT}|127\\.0\\.0\\.1`),
  );
}

describe('a bucket on Google that refuses', () => {
  it.each([
    [401, 'authError', 'storage_credentials_refused', 'config', 'Set the credentials.'],
    [403, 'forbidden', 'storage_denied', 'config', 'not allowed'],
    [404, 'notFound', 'storage_bucket_missing', 'config', 'no such bucket'],
    [429, 'rateLimitExceeded', 'storage_busy', 'transient', 'try again later'],
    [503, 'backendError', 'storage_busy', 'transient', 'try again later'],
    [400, 'invalid', 'storage_failed', 'system', 'Check the bucket'],
  ])('with %d %s says so in one sentence', async (status, reason, code, failure, advice) => {
    await using server = await startAnswering(() => refusal(status, reason));
    const storage = await bucketAt(server.endpoint);
    for (const attempt of [
      () => storage.write('key', once(bytesOf('x'))),
      () => storage.create('key', bytesOf('x')),
      () => listing(storage, 'folder'),
    ]) {
      const error = await failureOf(attempt());
      expectPlain(error);
      expect(error).toMatchObject({
        code,
        failure,
        message: expect.stringMatching(`gs://lake/root/\\w+ failed \\(${reason}\\)\\. .*${advice}`),
      });
    }
  });

  it.each([
    [403, 'AccessDenied', 'storage_denied'],
    [404, 'NoSuchBucket', 'storage_bucket_missing'],
    [401, 'AuthenticationRequired', 'storage_credentials_refused'],
  ])('an upload in parts with %d %s says so, too', async (status, storeCode, code) => {
    await using server = await startAnswering(() => refusalInXml(status, storeCode));
    const storage = await bucketAt(server.endpoint);
    const error = await failureOf(storage.write('key', once(Buffer.alloc(20_000_000))));
    expectPlain(error);
    expect(error).toMatchObject({ code, message: expect.stringContaining(`failed (${storeCode}).`) });
  });

  it('to read distinguishes a missing bucket from a missing object', async () => {
    await using server = await startAnswering(({ url }) =>
      url.includes('key')
        ? refusal(404, 'notFound', 'No such object: lake/root/key')
        : refusal(404, 'notFound', 'The specified bucket does not exist.'),
    );
    const storage = await bucketAt(server.endpoint);
    await expect(readText(storage, 'key')).rejects.toMatchObject({ code: 'not_found' });
    await expect(readText(storage, 'other')).rejects.toMatchObject({ code: 'storage_bucket_missing' });
  });
});

describe('credentials that are exchanged for others', () => {
  const attempt = { verb: 'writing', what: 'gs://lake/key', credentials: 'Set the credentials.' };
  const failedBy = (source: string) =>
    bucketError(
      attempt,
      new Error(
        `Unexpected (temporary) at write, context: { called: reqsign::LoadCredential, service: gcs, path: key } => loading credential to sign http request, source: ${source}`,
      ),
    );

  it.each([
    [
      'exchange token failed: {"error":"invalid_grant","error_description":"Invalid grant: nobody"}',
      'storage_credentials_refused',
      'config',
    ],
    [
      'error sending request for url (https://oauth2.googleapis.com/token)',
      'storage_unreachable',
      'transient',
    ],
    [
      'error sending request for url (http://metadata.google.internal/computeMetadata/v1/token)',
      'storage_credentials_missing',
      'config',
    ],
    [
      'request to AWS EC2 Metadata Services failed: <html>404</html>',
      'storage_credentials_missing',
      'config',
    ],
  ])('and then "%s" end as %s', (source, code, failure) => {
    const error = failedBy(source);
    expect(error).toMatchObject({ code, failure });
    expect(error.message).not.toMatch(/nobody|googleapis|internal|html/);
  });
});
