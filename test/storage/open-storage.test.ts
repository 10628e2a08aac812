import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { openStorage } from '../../src/storage/index.js';
import { LocalStorage } from '../../src/storage/local.js';
import { once } from '../../src/storage/storage.js';
import { bytesOf } from './objects.js';

describe('a location', () => {
  it.each(['./out', '/srv/lake', 'lake', 'C:\\lake', 's3', 'a=b/c'])(
    '%s is a local folder',
    async (location) => {
      const storage = await openStorage(location);
      expect(storage).toBeInstanceOf(LocalStorage);
      expect(storage.location).toBe(location);
    },
  );

  it.each([
    ['s3://lake', 's3://lake'],
    ['s3://lake/', 's3://lake'],
    ['S3://lake//a//b/', 's3://lake/a/b'],
    ['gs://lake/a', 'gs://lake/a'],
    ['gs://lake/tenant=a/b_c.d~e-f', 'gs://lake/tenant=a/b_c.d~e-f'],
  ])('%s is the bucket %s', async (location, shown) => {
    const storage = await openStorage(location, location.startsWith('gs') ? {} : { region: 'eu-west-1' });
    expect(storage.location).toBe(shown);
    expect(storage.localRoot).toBeUndefined();
  });

  it('az://container gets its endpoint from the name of the account', async () => {
    const storage = await openStorage('az://lake/a', { account_name: 'nobody' });
    expect(storage.location).toBe('az://lake/a');
    await expect(openStorage('az://lake/a')).rejects.toMatchObject({
      message: expect.stringContaining('the option endpoint is missing'),
    });
  });

  it.each([
    ['ftp://lake/a', {}, 'storage_scheme_unknown', 's3://, gs://, az://'],
    ['s3:///a', {}, 'storage_options_invalid', 's3://bucket/prefix'],
    ['s3://user:password@lake/a', {}, 'storage_options_invalid', 's3://bucket/prefix'],
    [
      's3://lake/a',
      { regoin: 'eu-west-1' },
      'storage_options_invalid',
      'no option regoin; there is endpoint, region',
    ],
    ['s3://lake/a', { endpoint: 'localhost:9000' }, 'storage_options_invalid', 'https://s3.example.com'],
    [
      's3://lake/a',
      { endpoint: 'https://me:word@host' },
      'storage_options_invalid',
      'https://s3.example.com',
    ],
    ['gs://lake/R&D', {}, 'storage_options_invalid', 'letters of ASCII, digits'],
    ['gs://lake/a+b/c', {}, 'storage_options_invalid', 'letters of ASCII, digits'],
    ['gs://lake/a', { allow_anonymous: 'true' }, 'storage_options_invalid', 'no option allow_anonymous'],
    ['./out', { region: 'eu-west-1' }, 'storage_options_invalid', 'no option region; there is file_mode'],
    ['./out', { file_mode: 'rw' }, 'storage_options_invalid', 'octal'],
  ])('%s with %j is refused', async (location, options, code, words) => {
    await expect(openStorage(location, options)).rejects.toMatchObject({
      name: 'ConfigError',
      code,
      message: expect.stringContaining(words),
    });
    await expect(openStorage(location, options)).rejects.not.toThrow(/password|word@/);
  });

  it('that is a folder takes the mode of its files', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'open-storage-'));
    const storage = await openStorage(folder, { file_mode: '640' });
    await storage.write('a/object', once(bytesOf('x')));
    expect((await stat(join(folder, 'a/object'))).mode & 0o777).toBe(0o640);
    expect((await stat(join(folder, 'a'))).mode & 0o777).toBe(0o750);
    await rm(folder, { recursive: true });
  });
});
