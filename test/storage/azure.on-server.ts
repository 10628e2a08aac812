import { randomUUID } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { openStorage } from '../../src/storage/index.js';
import { once } from '../../src/storage/storage.js';
import { storageContract } from './contract.js';
import { bytesOf } from './objects.js';
import { azuriteOptions } from './servers/azurite.js';

const endpoint = process.env.AZURE_ENDPOINT ?? '';
const open = (container = 'lake', more = {}) =>
  openStorage(`az://${container}/${randomUUID()}`, { ...azuriteOptions(endpoint), ...more });

describe('a container on Azure', () => {
  storageContract(() => open());

  it('passes the probe, as often as it is asked', async () => {
    const storage = await open();
    await storage.probe?.();
    await expect(storage.probe?.()).resolves.toBeUndefined();
  });

  it('reports a missing container', async () => {
    const storage = await open('absent');
    await expect(storage.write('object', once(bytesOf('x')))).rejects.toMatchObject({
      code: 'storage_bucket_missing',
    });
  });

  it('reports credentials that are not accepted', async () => {
    const storage = await open('lake', { account_key: Buffer.from('a wrong key').toString('base64') });
    await expect(storage.write('object', once(bytesOf('x')))).rejects.toMatchObject({
      code: 'storage_denied',
      failure: 'config',
    });
  });
});
