import { randomUUID } from 'node:crypto';
import { expect, it } from 'vitest';
import { once, type Storage } from '../../src/storage/storage.js';
import { storageContract } from './contract.js';
import { bytesOf, finish, listing, readText, scratchFolder } from './objects.js';
import { startProxy } from './servers/proxy.js';

/** A kind of object store, on a server of a test. */
interface ObjectStore {
  endpoint: string;
  /** @param at the server, or a proxy before it @param prefix in the bucket; '' for its top */
  open(at: string, prefix: string, bucket?: string): Promise<Storage>;
  /** By which method an object is put in one request. */
  put: 'PUT' | 'POST';
  /** What a probe asks that is not the first of its root. */
  probing: readonly string[];
}

/** What every store that speaks HTTP promises; a proxy records and refuses requests, and cuts connections. */
export function bucketContract({ endpoint, open, put, probing }: ObjectStore): void {
  const fresh = (at = endpoint) => open(at, randomUUID());

  storageContract(fresh);

  it('is used from its top when no prefix is given', async () => {
    const key = `${randomUUID()}/run_date=2026-01-31/object`;
    const top = await open(endpoint, '');
    await top.write(key, once(bytesOf('x')));
    expect(await listing(top, key.slice(0, 36))).toEqual({ [key]: 1 });
  });

  it('reports a missing bucket, also for a listing and an upload in parts', async () => {
    const storage = await open(endpoint, 'x', 'no-such-bucket');
    const missing = { code: 'storage_bucket_missing', failure: 'config', exitCode: 2 };
    await expect(storage.write('object', once(bytesOf('x')))).rejects.toMatchObject(missing);
    await expect(storage.write('object', once(Buffer.alloc(20_000_000)))).rejects.toMatchObject(missing);
    await expect(listing(storage, 'folder')).rejects.toMatchObject(missing);
    await expect(storage.probe?.()).rejects.toMatchObject(missing);
  });

  it('passes the probe, which later changes nothing', async () => {
    await using proxy = await startProxy(endpoint);
    const storage = await fresh(proxy.endpoint);
    await storage.probe?.();
    const before = proxy.requests.length;
    await storage.probe?.();
    expect(proxy.requests.slice(before).map(({ method }) => method)).toEqual(probing);
  });

  it.each(['before', 'after'] as const)(
    'knows its own object when the connection is cut %s it was created',
    async (when) => {
      let left = 1;
      await using proxy = await startProxy(endpoint, {
        cut: ({ method }) => (method === put && left-- > 0 ? when : undefined),
      });
      const storage = await fresh(proxy.endpoint);
      expect(await storage.create('lock', bytesOf('mine'))).toBe(true);
      expect(proxy.requests.filter(({ method }) => method === put)).toHaveLength(2);
      expect(await storage.create('lock', bytesOf('another'))).toBe(false);
    },
  );

  it('is uploaded to in parts when an object is large, and in one request when it is not', async () => {
    await using proxy = await startProxy(endpoint);
    const storage = await fresh(proxy.endpoint);
    await storage.write('large', once(Buffer.alloc(30_000_000)));
    const sizes = proxy.requests.map(({ headers }) => Number(headers['content-length'] ?? 0));
    expect(proxy.requests.filter(({ url }) => url.includes('partNumber='))).toHaveLength(4);
    expect(Math.max(...sizes)).toBe(8 * 1024 * 1024);
    const before = proxy.requests.length;
    await storage.write('small', once(bytesOf('x')));
    expect(proxy.requests.slice(before).map(({ method }) => method)).toEqual([put]);
  });

  it('reports to a reader that a large object was replaced, and never gives a mix', async () => {
    const storage = await fresh();
    await storage.write('large', once(Buffer.alloc(20_000_000, 'a')));
    const reading = storage.read('large')[Symbol.asyncIterator]();
    await reading.next();
    await storage.write('large', once(Buffer.alloc(20_000_000, 'b')));
    const rest = async () => {
      while (!(await reading.next()).done);
    };
    await expect(rest()).rejects.toMatchObject({ code: 'storage_changed', failure: 'transient' });
  });

  it('has the files that were put before an upload was refused, each complete, and no other', async () => {
    const prefix = randomUUID();
    const direct = await open(endpoint, prefix);
    await using scratch = await scratchFolder();
    const keys = Array.from({ length: 30 }, (_, at) => `date/org=${at}/part`);
    const files = await finish(scratch.path, Object.fromEntries(keys.map((key) => [key, `of ${key}`])));
    let left = 12;
    await using proxy = await startProxy(endpoint, { refuse: ({ method }) => method === put && left-- <= 0 });
    const refused = (await open(proxy.endpoint, prefix)).put(files);
    await expect(refused).rejects.toMatchObject({ code: 'storage_denied' });
    const found = Object.keys(await listing(direct, 'date'));
    expect(found).toHaveLength(12);
    for (const key of found) expect(await readText(direct, key)).toBe(`of ${key}`);
  });
}
