import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openStorage } from '../../src/storage/index.js';
import { once } from '../../src/storage/storage.js';
import { bytesOf, listing, readText, stageFiles, storageContract } from './contract.js';
import { keptRootContract } from './kept-root.js';
import { motoOptions } from './servers/moto.js';
import { startProxy } from './servers/proxy.js';

const endpoint = process.env.S3_ENDPOINT ?? '';
const open = (at = endpoint, prefix: string = randomUUID()) =>
  openStorage(`s3://lake/${prefix}`, motoOptions(at));

let scratch: string;
beforeAll(async () => {
  scratch = await mkdtemp(join(tmpdir(), 's3-storage-'));
});
afterAll(() => rm(scratch, { recursive: true, force: true }));

const stage = (files: readonly string[], text: string) =>
  stageFiles(scratch, Object.fromEntries(files.map((file) => [file, `${text} ${file}`])));

describe('a bucket on S3', () => {
  storageContract(() => open());
  keptRootContract(() => open());

  it('is used from its top when no prefix is given', async () => {
    const key = `${randomUUID()}/object`;
    const top = await openStorage('s3://lake', motoOptions(endpoint));
    await top.write(key, once(bytesOf('x')));
    expect(await listing(top, key.slice(0, 36))).toEqual({ [key]: 1 });
  });

  it('says that a bucket is missing, also to who lists', async () => {
    const storage = await openStorage('s3://no-such-bucket/x', motoOptions(endpoint));
    const missing = { code: 'storage_bucket_missing', failure: 'config', exitCode: 2 };
    await expect(storage.write('object', once(bytesOf('x')))).rejects.toMatchObject(missing);
    await expect(listing(storage, 'folder')).rejects.toMatchObject(missing);
    await expect(storage.probe?.()).rejects.toMatchObject(missing);
  });

  it('passes the probe, which later changes nothing', async () => {
    await using proxy = await startProxy(endpoint);
    const storage = await open(proxy.endpoint);
    await storage.probe?.();
    const before = proxy.requests.length;
    await storage.probe?.();
    expect(proxy.requests.slice(before).map(({ method }) => method)).toEqual(['PUT', 'HEAD']);
  });

  it('is refused by the probe when it ignores create-if-absent', async () => {
    await using proxy = await startProxy(endpoint, {
      change: ({ 'if-none-match': _condition, ...headers }) => headers,
    });
    const storage = await open(proxy.endpoint);
    await expect(storage.probe?.()).rejects.toMatchObject({
      name: 'ConfigError',
      code: 'create_if_absent_ignored',
      message: expect.stringContaining('--no-lock'),
    });
  });

  it('is uploaded to in parts when an object is large, and in one request when it is not', async () => {
    await using proxy = await startProxy(endpoint);
    const storage = await open(proxy.endpoint);
    await storage.write('large', once(Buffer.alloc(30_000_000)));
    const sizes = proxy.requests.map(({ headers }) => Number(headers['content-length'] ?? 0));
    expect(proxy.requests.filter(({ url }) => url.includes('partNumber='))).toHaveLength(4);
    expect(Math.max(...sizes)).toBe(8 * 1024 * 1024);
    const before = proxy.requests.length;
    await storage.write('small', once(bytesOf('x')));
    expect(proxy.requests.slice(before).map(({ method }) => method)).toEqual(['PUT']);
  });

  it('shows a large object as replaced, not as a mix, to who was reading it', async () => {
    const storage = await open();
    await storage.write('large', once(Buffer.alloc(20_000_000, 'a')));
    const reading = storage.read('large')[Symbol.asyncIterator]();
    await reading.next();
    await storage.write('large', once(Buffer.alloc(20_000_000, 'b')));
    const rest = async () => {
      while (!(await reading.next()).done);
    };
    await expect(rest()).rejects.toMatchObject({ code: 'storage_changed', failure: 'transient' });
  });

  it.each([1, 4, 7, 9])('converges when replaceFolder is cut off after %d changes', async (changes) => {
    const prefix = randomUUID();
    const direct = await open(endpoint, prefix);
    const old = await stage(['a', 'b', 'c', 'd', 'e'], 'old');
    await direct.replaceFolder('date', old);
    const staged = await stage(['b', 'f', 'g', 'h', 'i', 'j'], 'new');
    let left = changes;
    await using proxy = await startProxy(endpoint, {
      refuse: ({ method }) => (method === 'PUT' || method === 'DELETE') && left-- <= 0,
    });
    const cut = await open(proxy.endpoint, prefix);
    await expect(cut.replaceFolder('date', staged)).rejects.toMatchObject({ code: 'storage_denied' });
    await direct.replaceFolder('date', staged);
    expect(Object.keys(await listing(direct, 'date'))).toEqual(staged.files.map((file) => `date/${file}`));
    for (const file of staged.files) expect(await readText(direct, `date/${file}`)).toBe(`new ${file}`);
  });
});
