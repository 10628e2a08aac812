import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { startFixtureApi } from '../../fixtures/api/index.js';
import { answerError } from '../../src/client/answer-error.js';
import { requestIdOf } from '../../src/client/request-id.js';
import type { ComplianceEvent } from '../../src/events.js';
import { clientOf, take, temporaryFolder } from '../run/support/tree.js';
import { rejection, testClient } from './test-client.js';

it.each([
  'req_011CSHoEeqs5C35K2UUqR7Fy',
  'req_1',
  `req_${'a'.repeat(64)}`,
  '7d5c1f0e-98a4-4a0b-9d5e-0123456789AB',
])('a request id is recorded as served: %s', (id) => {
  expect(requestIdOf(id)).toBe(id);
});

it.each([
  '',
  'ada@example.com',
  'Ada Lovelace',
  'Lovelace',
  'sk-ant-api01-0123456789abcdef',
  'req_',
  'req_ada@example.com',
  'req_a-b',
  'req_1\nreq_2',
  'req_1\n',
  ' req_1',
  '\u001b[2Jreq_1',
  `req_${'a'.repeat(65)}`,
  'req_1, ada@example.com',
  '7d5c1f0e-98a4-4a0b-9d5e-0123456789abc',
])('what has no form of a request id is recorded as malformed: %j', (id) => {
  expect(requestIdOf(id)).toBe('malformed');
});

it('a key is no request id, even where it has the form of one', () => {
  expect(requestIdOf('req_1', ['req_1'])).toBe('malformed');
  expect(requestIdOf(undefined, ['req_1'])).toBeUndefined();
});

it('a header that repeats the key is in no file and in no event', async () => {
  await using api = await startFixtureApi({ sizes: [3] });
  await using root = await temporaryFolder();
  const body = { data: [], has_more: false, next_page: null };
  const headers = { 'request-id': api.key };
  api.fault({ match: { list: 'users' }, do: { type: 'answer', status: 200, body, headers } });
  const events: ComplianceEvent[] = [];
  const onEvent = (event: ComplianceEvent) => events.push(event);
  await using client = clientOf(api, { onEvent });
  const { tables } = await take(api, root.path, { client, onEvent });
  expect(tables.users?.slices).toMatchObject([
    { first_request_id: 'malformed', last_request_id: 'malformed' },
  ]);
  expect(tables.organizations?.slices[0]?.first_request_id).toMatch(/^req_/);
  const names = await readdir(root.path, { recursive: true, withFileTypes: true });
  const files = names.filter((entry) => entry.isFile());
  expect(files.length).toBeGreaterThan(3);
  for (const { parentPath, name } of files)
    expect(await readFile(join(parentPath, name), 'latin1')).not.toContain(api.key);
  expect(events).toContainEqual(expect.objectContaining({ type: 'page', requestId: 'malformed' }));
  expect(JSON.stringify(events)).not.toContain(api.key);
});

it.each([
  ['a refused request', 400, ''],
  ['an answer that is no page', 200, '{"data":7}'],
])('an address in the place of the id is not in the error of %s', async (_, status, body) => {
  await using api = await startFixtureApi({ sizes: [3] });
  api.fault({ do: { type: 'answer', status, body, headers: { 'request-id': 'ada@example.com' } } });
  await using client = testClient(api);
  const thrown = await rejection(client.organizations.list());
  expect(thrown.message).toContain('(request malformed)');
  expect(thrown.requestId).toBe('malformed');
});

it('the id in the body of an error is checked as the header is', () => {
  const at = { method: 'GET', path: '/', status: 400, secrets: ['req_1'] };
  for (const request_id of ['ada@example.com', 'req_1'])
    expect(answerError({ ...at, body: JSON.stringify({ request_id }) }).requestId).toBe('malformed');
  expect(answerError({ ...at, body: '{"request_id":"req_2"}' }).requestId).toBe('req_2');
});
