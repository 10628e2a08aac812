import { randomUUID } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startFixtureApi } from '../../fixtures/api/index.js';
import { openStorage } from '../../src/index.js';
import { temporaryFolder } from '../run/support/tree.js';
import { type AnsweringServer, startAnswering } from './answering-server.js';
import { type BucketPlace, bucketDumpContract } from './bucket-dump-contract.js';
import { commandLine, dumpFlags, published, served } from './dump-place.js';
import { fakeGcsOptions } from './servers/fake-gcs.js';
import { startProxy } from './servers/proxy.js';

const endpoint = process.env.GOOGLE_ENDPOINT ?? '';
const TOKEN = 'a token that was given in exchange';
/** More than one part of an upload. */
const LARGE = 40_000;

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let exchange: AnsweringServer;
beforeAll(async () => {
  folder = await temporaryFolder();
  exchange = await startAnswering(() => ({
    status: 200,
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ access_token: TOKEN, expires_in: 3600, token_type: 'Bearer' }),
  }));
  process.env.GOOGLE_APPLICATION_CREDENTIALS = await credentials();
});
afterAll(async () => {
  delete process.env.GOOGLE_APPLICATION_CREDENTIALS;
  await exchange[Symbol.asyncDispose]();
  await folder[Symbol.asyncDispose]();
});

/** A file of workload identity federation: the one kind that may be exchanged at an address of its own. */
async function credentials(): Promise<string> {
  const subject = join(folder.path, 'subject');
  const file = join(folder.path, 'google.json');
  await writeFile(subject, 'who this machine is');
  const account = {
    type: 'external_account',
    audience: '//iam.googleapis.com/projects/0/locations/global/workloadIdentityPools/a/providers/b',
    subject_token_type: 'urn:ietf:params:oauth:token-type:jwt',
    token_url: `${exchange.endpoint}/v1/token`,
    credential_source: { file: subject },
  };
  await writeFile(file, JSON.stringify(account));
  return file;
}

/** opendal finds the credentials in the environment. */
const place: BucketPlace = {
  endpoint,
  newRoot: () => `gs://lake/${randomUUID()}`,
  missingRoot: 'gs://no-such-bucket/x',
  open: (root) => openStorage(root, fakeGcsOptions(endpoint)),
  flags: (at = endpoint) => ['--storage-option', `endpoint=${at}`],
  environment() {
    const { GOOGLE_APPLICATION_CREDENTIALS } = process.env;
    return { GOOGLE_APPLICATION_CREDENTIALS };
  },
  put: 'POST',
};

describe('on Google Cloud Storage', () => {
  bucketDumpContract(place);

  it('a dump uses credentials that were exchanged, and uploads a large file in parts', async () => {
    await using api = await startFixtureApi({ sizes: [LARGE] });
    await using proxy = await startProxy(endpoint);
    const root = place.newRoot();
    const call = { home: folder.path, api, endpoint: proxy.endpoint };
    const { code, text } = await commandLine(place).run('dump', dumpFlags(root), call);
    expect([code, text]).toEqual([0, text]);
    const authorizations = proxy.requests.map(({ headers }) => headers.authorization);
    expect(new Set(authorizations)).toEqual(new Set([`Bearer ${TOKEN}`]));
    expect(proxy.requests.some(({ url }) => url.includes('partNumber=2'))).toBe(true);
    expect(await published(await place.open(root))).toEqual(served(api));
  });

  it('refuses to work without credentials, which would put objects under other names', async () => {
    await using api = await startFixtureApi({ sizes: [1] });
    const anonymous = [...dumpFlags(place.newRoot()), '--storage-option', 'allow_anonymous=true'];
    const { code, text } = await commandLine(place).run('dump', anonymous, { home: folder.path, api });
    expect([code, text]).toEqual([2, expect.stringContaining('gs has no option allow_anonymous')]);
  });
});
