import { randomUUID } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { openStorage } from '../../src/storage/index.js';
import { once } from '../../src/storage/storage.js';
import { bucketContract } from './bucket-contract.js';
import { bytesOf, finish, listing, scratchFolder } from './objects.js';
import { fakeGcsOptions } from './servers/fake-gcs.js';
import { startProxy } from './servers/proxy.js';

const endpoint = process.env.GOOGLE_ENDPOINT ?? '';
const open = (at: string, prefix: string, bucket = 'lake') =>
  openStorage(`gs://${bucket}/${prefix}`, fakeGcsOptions(at));

describe('a bucket on Google Cloud Storage', () => {
  bucketContract({
    endpoint,
    // An equals sign in a prefix is written into an address otherwise than one in a key.
    open: (at, prefix, bucket) => open(at, prefix && `tenant=acme/${prefix}`, bucket),
    put: 'POST',
    probing: ['POST', 'GET'],
  });

  it('gives an object the same name whether it went up in parts, in one request or as a lock', async () => {
    const prefix = `tenant=acme/${randomUUID()}`;
    const storage = await open(endpoint, prefix);
    const folder = 'run_date=2026-01-31';
    await storage.write(`${folder}/small`, once(bytesOf('x')));
    await storage.write(`${folder}/large`, once(Buffer.alloc(20_000_000)));
    await storage.create(`${folder}/lock=1`, bytesOf('x'));
    const asked = await fetch(`${endpoint}/storage/v1/b/lake/o?prefix=${encodeURIComponent(`${prefix}/`)}`);
    const { items } = (await asked.json()) as { items: { name: string }[] };
    expect(items.map(({ name }) => name).sort()).toEqual([
      `${prefix}/${folder}/large`,
      `${prefix}/${folder}/lock=1`,
      `${prefix}/${folder}/small`,
    ]);
  });

  it('is listed one page after another', async () => {
    const prefix = randomUUID();
    const storage = await open(endpoint, prefix);
    await using scratch = await scratchFolder();
    const files = Array.from({ length: 1001 }, (_, at) => [`date/org=${at}/part`, `${at}`]);
    await storage.put(await finish(scratch.path, Object.fromEntries(files)));
    await using proxy = await startProxy(endpoint);
    expect(Object.keys(await listing(await open(proxy.endpoint, prefix), 'date'))).toHaveLength(1001);
    expect(proxy.requests.map(({ url }) => url.includes('pageToken='))).toEqual([false, true]);
  });
});
