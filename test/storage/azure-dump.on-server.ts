import { randomUUID } from 'node:crypto';
import { describe } from 'vitest';
import { openStorage } from '../../src/index.js';
import { type BucketPlace, bucketDumpContract } from './bucket-dump-contract.js';
import { azuriteOptions } from './servers/azurite.js';

const endpoint = process.env.AZURE_ENDPOINT ?? '';

/** The key of the account is in the environment, where opendal finds it. */
const place: BucketPlace = {
  endpoint,
  newRoot: () => `az://lake/${randomUUID()}`,
  missingRoot: 'az://no-such-container/x',
  open: (root) => openStorage(root, azuriteOptions(endpoint)),
  flags: (at = endpoint) => ['--storage-option', `endpoint=${azuriteOptions(at).endpoint}`],
  environment() {
    const { AZBLOB_ACCOUNT_NAME, AZBLOB_ACCOUNT_KEY } = process.env;
    return { AZBLOB_ACCOUNT_NAME, AZBLOB_ACCOUNT_KEY };
  },
  put: 'PUT',
};

describe('on Azure', () => {
  bucketDumpContract(place);
});
