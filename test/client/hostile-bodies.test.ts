import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';
import {
  deepRecordBody,
  type Fault,
  gzipBody,
  manyRecordsBody,
  repeatedBody,
  startFixtureApi,
} from '../../fixtures/api/index.js';
import { rejection, testClient } from './test-client.js';

const MIB = 1024 * 1024;
const stream = (body: Extract<Fault, { type: 'stream' }>['body'], headers = {}): Fault => ({
  type: 'stream',
  body,
  headers,
});
const gzipped = { 'content-encoding': 'gzip' };
const listOf = (text: string, bytes: number) =>
  repeatedBody({ before: '{"data":[', text, bytes, after: '{}]}' });

/** What each is, what the server sends, and how the page must end. */
const BODIES: [string, Fault, string][] = [
  ['a-gigabyte-of-spaces', stream(repeatedBody({ text: ' ', bytes: 1024 * MIB })), 'body_too_large'],
  ['a-gigabyte-of-users', stream(listOf('{"id":"user_1"},', 1024 * MIB)), 'too_many_records'],
  [
    'a-gigabyte-in-one-record',
    stream(
      repeatedBody({
        before: '{"data":[{"id":"user_1","x":[',
        text: '"abcdefghijklmnopqrstuvwxyz abcdefghijklmnopqrstuvwxyz",',
        bytes: 1024 * MIB,
      }),
    ),
    'body_too_dense',
  ],
  ['100-mb-of-brackets', stream(repeatedBody({ text: '[', bytes: 100 * MIB })), 'too_deep'],
  ['8-mb-of-brackets', stream(repeatedBody({ text: '[', bytes: 8 * MIB - 1 })), 'too_deep'],
  ['8-mb-of-objects', stream(listOf('{},', 8 * MIB - 100)), 'too_many_records'],
  [
    '8-mb-of-lists',
    stream(
      repeatedBody({
        before: '{"data":[{"id":"user_1","x":[',
        text: '[],',
        bytes: 8 * MIB - 100,
        after: '0]}]}',
      }),
    ),
    'body_too_dense',
  ],
  [
    'a-100-mb-number',
    stream(repeatedBody({ before: '{"data":[{"id":', text: '7', bytes: 100 * MIB })),
    'body_too_large',
  ],
  [
    'a-100-mb-text',
    stream(repeatedBody({ before: '{"data":[{"id":"', text: 'a', bytes: 100 * MIB })),
    'body_too_large',
  ],
  [
    'a-100-mb-escaped-text',
    stream(repeatedBody({ before: '{"data":[{"id":"', text: '\\u00e9', bytes: 100 * MIB })),
    'body_too_large',
  ],
  [
    'a-100-mb-name',
    stream(repeatedBody({ before: '{"data":[{"', text: 'é', bytes: 100 * MIB })),
    'body_too_large',
  ],
  [
    'a-gzip-bomb',
    stream(gzipBody(repeatedBody({ text: ' ', bytes: 1024 * MIB })), gzipped),
    'body_too_large',
  ],
  [
    'a-gzip-bomb-of-brackets',
    stream(gzipBody(repeatedBody({ text: '[', bytes: 100 * MIB })), gzipped),
    'too_deep',
  ],
  ['a-deep-record', stream(deepRecordBody(100_000)), 'too_deep'],
  ['a-million-users', stream(manyRecordsBody(1_000_000, (n) => `{"id":"user_${n}"}`)), 'too_many_records'],
  [
    'invalid-utf-8',
    stream(function* () {
      yield Buffer.from('{"data":[{"id":"');
      for (let n = 0; n < 200; n += 1) yield Buffer.alloc(MIB / 16, 0xff);
    }),
    'body_not_utf8',
  ],
  [
    'trailing-garbage',
    stream(repeatedBody({ before: '{"data":[]}', text: 'x', bytes: 20 * MIB })),
    'body_not_json',
  ],
  [
    'a-large-page-that-is-right',
    stream(manyRecordsBody(10_000, (n) => `{"id":"user_${n}","note":"${'n'.repeat(3000)}"}`)),
    '10000 users',
  ],
];

it('hostile bodies end in typed errors within the caps, under 250 MB, and the process lives', async () => {
  await using api = await startFixtureApi({ sizes: [1] });
  for (const [id, fault] of BODIES) api.fault({ match: { path: `/${id}/` }, do: fault });
  const script = fileURLToPath(new URL('hostile-reader.ts', import.meta.url));
  const ids = BODIES.map(([id]) => id);
  const { stdout } = await promisify(execFile)(process.execPath, [
    '--expose-gc',
    '--import',
    'tsx',
    script,
    api.url,
    api.key,
    ...ids,
  ]);
  const { ended, peakMegabytes } = JSON.parse(stdout) as {
    ended: Record<string, string>;
    peakMegabytes: number;
  };
  expect(ended).toEqual(Object.fromEntries(BODIES.map(([id, , code]) => [id, code])));
  expect(peakMegabytes).toBeLessThan(250);
}, 120_000);

it('a byte at a time ends when the time of the attempt is over', async () => {
  await using api = await startFixtureApi({ sizes: [1] });
  api.fault({ do: { type: 'drip', bytes: 1, everyMs: 10 } });
  await using client = testClient(api, { timeout: 20_000, maxRetries: 0 });
  expect(await rejection(client.organizations.list())).toMatchObject({
    name: 'APITimeoutError',
    code: 'timeout',
  });
});

it('an error with an endless body is recognised by its status', async () => {
  await using api = await startFixtureApi({ sizes: [1] });
  api.fault({ do: { type: 'answer', status: 400, body: 'x'.repeat(4 * MIB) } });
  await using client = testClient(api);
  expect(await rejection(client.organizations.list())).toMatchObject({
    name: 'BadRequestError',
    body: 'x'.repeat(65_536),
  });
});
