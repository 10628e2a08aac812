import { describe, expect, it } from 'vitest';
import { openBucket } from '../../src/storage/bucket.js';
import type { FinishedFile, Storage } from '../../src/storage/storage.js';
import { type Answer, type Asked, startAnswering } from './answering-server.js';
import { finish, readAll, scratchFolder } from './objects.js';
import { putContract } from './put-contract.js';
import { bucketAt } from './s3-bucket.js';

/** As S3 answers to uploads in one request and in parts. */
const inParts = ({ url }: Asked): Answer => ({
  status: 200,
  headers: { etag: '"x"' },
  body: url.endsWith('?uploads')
    ? '<InitiateMultipartUploadResult><UploadId>u</UploadId></InitiateMultipartUploadResult>'
    : '<CompleteMultipartUploadResult><ETag>x</ETag></CompleteMultipartUploadResult>',
});

/** Whether a request makes an object of the parts of an upload. */
const isFinishing = ({ method, url }: Asked): boolean => method === 'POST' && !url.endsWith('?uploads');

describe('a bucket', () => {
  putContract(openMemory);

  it('uploads several files at a time, and no more than eight', async () => {
    let most = 0;
    const waiting: (() => void)[] = [];
    const answerAll = () => {
      for (const answer of waiting.splice(0)) answer();
    };
    // An eighth request is waited for; a ninth has some time to come.
    await using server = await startAnswering(async () => {
      const answered = new Promise<void>((resolve) => waiting.push(resolve));
      most = Math.max(most, waiting.length);
      if (waiting.length === 8) setTimeout(answerAll, 50);
      await answered;
      return { status: 200, headers: { etag: '"x"' } };
    });
    await using scratch = await scratchFolder();
    const keys = Array.from({ length: 40 }, (_, at) => `key-${at}`);
    const files = await finish(scratch.path, Object.fromEntries(keys.map((key) => [key, key])));
    await (await openBucket(bucketAt(server.endpoint))).put(files);
    expect(server.asked.map(({ method, url }) => `${method} ${url}`).sort()).toEqual(
      keys.map((key) => `PUT /lake/root/${key}`).sort(),
    );
    expect(most).toBe(8);
  });

  it('sends nothing of a small file whose bytes differ, and does not finish the upload of a large one', async () => {
    await using server = await startAnswering(inParts);
    const storage = await openBucket(bucketAt(server.endpoint));
    await using scratch = await scratchFolder();
    const [small, large] = await finish(scratch.path, { small: 'x', large: Buffer.alloc(20_000_000) });
    for (const file of [small, large] as FinishedFile[]) {
      await expect(storage.put([{ ...file, sha256: '0'.repeat(64) }])).rejects.toMatchObject({
        code: 'file_differs',
      });
    }
    expect(server.asked.filter(isFinishing)).toEqual([]);
    expect(server.asked.filter(({ url }) => url.includes('small'))).toEqual([]);
    expect(server.asked.filter(({ url }) => url.includes('partNumber='))).not.toEqual([]);
  });

  it('does not finish the upload of a large file when it is stopped', async () => {
    const stop = new AbortController();
    const reason = new Error('stopped');
    await using server = await startAnswering((asked) => {
      if (asked.url.includes('partNumber=')) stop.abort(reason);
      return inParts(asked);
    });
    await using scratch = await scratchFolder();
    const storage = await openBucket(bucketAt(server.endpoint));
    const files = await finish(scratch.path, { large: Buffer.alloc(30_000_000) });
    await expect(storage.put(files, stop.signal)).rejects.toBe(reason);
    expect(server.asked.filter(isFinishing)).toEqual([]);
  });

  it('starts no further upload when it is stopped', async () => {
    const stop = new AbortController();
    const reason = new Error('stopped');
    await using server = await startAnswering((_, nth) => {
      if (nth === 3) stop.abort(reason);
      return { status: 200, headers: { etag: '"x"' } };
    });
    await using scratch = await scratchFolder();
    const files = await finish(
      scratch.path,
      Object.fromEntries(Array.from({ length: 60 }, (_, at) => [`key-${at}`, 'x'])),
    );
    const storage = await openBucket(bucketAt(server.endpoint));
    await expect(storage.put(files, stop.signal)).rejects.toBe(reason);
    expect(server.asked.length).toBeLessThanOrEqual(3 + 8 + 1);
  });
});

/** A bucket without a server. opendal's listing of it has no sizes, so they are read. */
async function openMemory(): Promise<Storage> {
  const bucket = await openBucket({ service: 'memory', options: {}, location: 'memory', credentials: '' });
  const listKeys = bucket.list.bind(bucket);
  return Object.assign(bucket, {
    async *list(folder: string) {
      for await (const { key } of listKeys(folder)) {
        yield { key, bytes: (await readAll(bucket, key)).byteLength };
      }
    },
  });
}
