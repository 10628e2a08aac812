import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type FixtureApi, startFixtureApi } from '../../fixtures/api/index.js';
import { roles } from '../../src/streams/roles.js';
import type { ParentKey } from '../../src/streams/stream.js';
import { all, rejection, testClient } from '../client/test-client.js';
import { badges } from '../streams/made-up/badges.js';
import { grants } from '../streams/made-up/grants.js';
import { type ServedList, servedLists } from '../streams/support/expected.js';
import { madeUpLists } from '../streams/support/made-up-lists.js';

let api: FixtureApi;
let client: ReturnType<typeof testClient>;
let lists: ServedList[];
beforeEach(async () => {
  api = await startFixtureApi({ sizes: [1, 0, 2], lists: madeUpLists });
  client = testClient(api);
  lists = servedLists(api, grants);
});
afterEach(async () => {
  await client.close();
  await api.close();
});

const largest = (): ServedList =>
  lists.toSorted((a, b) => b.records.length - a.records.length)[0] as ServedList;
const keysOf = (records: readonly Readonly<Record<string, unknown>>[]) => records.map(({ action }) => action);

describe('the lists of a stream two levels deep', () => {
  it('are one for each record of the stream above, in the order served', async () => {
    expect(lists.length).toBeGreaterThan(6);
    expect(await all(client.parents(grants))).toEqual(lists.map(({ parent }) => parent));
  });

  it('are read together, each record with the keys of its parents', async () => {
    const records: ParentKey[] = await all(client.all(grants, { concurrency: 3 }));
    const served = lists.flatMap(({ parent, records }) =>
      records.map(({ action }) => ({ ...parent, action })),
    );
    const found = records.map(({ organization_uuid, role_id, action }) => ({
      organization_uuid,
      role_id,
      action,
    }));
    expect(found.map((key) => JSON.stringify(key)).sort()).toEqual(
      served.map((key) => JSON.stringify(key)).sort(),
    );
  });

  it('are read one by one: by pages, by records, as a Readable, one page', async () => {
    const { parent, path, records } = largest();
    const pages = await all(client.pages(grants, { parent, limit: 2 }));
    expect(pages.map((page) => page.records.length)).toEqual([2, 2, 1]);
    expect(keysOf(pages.flatMap((page) => page.records))).toEqual(keysOf(records));
    expect(keysOf(await all(client.records(grants, { parent })))).toEqual(keysOf(records));
    expect(keysOf(await all(client.readable(grants, { parent })))).toEqual(keysOf(records));
    const { data, has_more, next_page } = await client.page(grants, { parent, limit: 2 });
    expect({ keys: keysOf(data), has_more }).toEqual({ keys: keysOf(records.slice(0, 2)), has_more: true });
    const rest = await client.page(grants, { parent, page: String(next_page) });
    expect(keysOf(rest.data)).toEqual(keysOf(records.slice(2)));
    expect(new Set(api.requests.map((request) => request.path))).toEqual(new Set([path]));
    expect(client.events[0]).toMatchObject({ type: 'page', stream: 'grants', parent, path });
  });

  it('are not requested without the keys of all parents', async () => {
    const { organization_uuid = '', role_id = '' } = largest().parent;
    for (const parent of [{}, { organization_uuid }, { role_id }, { organization_uuid, role_id: '..' }]) {
      const thrown = await rejection(all(client.records(grants, { parent })));
      expect(thrown).toMatchObject({ name: 'ConfigError', code: 'invalid_parent_id' });
    }
    expect(api.requests).toHaveLength(0);
  });
});

describe('a list two levels deep that answers 404', () => {
  const answer = { error: { type: 'not_found_error', message: 'Role not found.' } };
  const refuse = () =>
    api.fault({ match: { list: 'grants' }, do: { type: 'answer', status: 404, body: answer } });

  it('is gone when its parent is not listed any more', async () => {
    const { parent } = largest();
    const siblings = lists.filter((list) => list.parent.organization_uuid === parent.organization_uuid);
    api.list('roles', parent.organization_uuid).remove(siblings.findIndex((list) => list.parent === parent));
    refuse();
    const thrown = await rejection(all(client.records(grants, { parent })));
    expect(thrown).toMatchObject({ name: 'NotFoundError', code: 'parent_gone', status: 404 });
    expect(api.requests.map(({ list }) => list)).toEqual(['grants', 'roles']);
  });

  it('has failed when its parent is listed all the same', async () => {
    refuse();
    const thrown = await rejection(all(client.records(grants, { parent: largest().parent })));
    expect(thrown).toMatchObject({ code: 'parent_not_found', exitCode: 1 });
    expect(api.requests.map(({ list }) => list)).toEqual(['grants', 'roles']);
  });

  it('is gone when the parent of its parent is not listed any more', async () => {
    const { parent } = largest();
    api.unlink(String(parent.organization_uuid));
    const thrown = await rejection(all(client.records(grants, { parent })));
    expect(thrown).toMatchObject({ code: 'parent_gone' });
    expect(api.requests.map(({ list }) => list)).toEqual(['grants', 'roles', 'organizations']);
  });

  it('is reported and left out when all lists are read', async () => {
    const [gone] = api.organizations();
    const records: ParentKey[] = [];
    for await (const record of client.all(grants, { concurrency: 1 })) {
      if (records.length === 0) api.unlink(String(gone?.uuid)); // its roles were listed already
      records.push(record);
    }
    const failed = client.events.filter(({ type }) => type === 'slice-failed');
    expect(failed.length).toBeGreaterThan(0);
    for (const event of failed)
      expect(event).toMatchObject({
        stream: 'grants',
        parent: { organization_uuid: gone?.uuid },
        verdict: 'gone',
      });
    const others = lists.filter(({ parent }) => parent.organization_uuid !== gone?.uuid);
    const found = records.filter(({ organization_uuid }) => organization_uuid !== gone?.uuid);
    expect(found).toHaveLength(others.flatMap((list) => list.records).length);
  });
});

it('leaves out, and reports, an organisation that is unlinked before the records that have lists were read', async () => {
  const gone = String(api.organizations().at(-1)?.uuid);
  const records: ParentKey[] = [];
  for await (const record of client.all(grants, { concurrency: 1 })) {
    if (records.length === 0) api.unlink(gone);
    records.push(record);
  }
  expect(records.some(({ organization_uuid }) => organization_uuid === gone)).toBe(false);
  const failed = client.events.filter(({ type }) => type === 'slice-failed');
  expect(failed).toMatchObject([{ stream: 'roles', parent: { organization_uuid: gone }, verdict: 'gone' }]);
});

it('drops a record that is served twice by all fields of its key, not by one', async () => {
  const uuid = String(api.organizations()[0]?.uuid);
  api.list('badges', uuid).repeat(1);
  const pages = await all(client.pages(badges, { parent: { organization_uuid: uuid }, limit: 5 }));
  const served = [...api.records('badges', uuid)].map(({ series, number }) => ({ series, number }));
  const found = pages.flatMap(({ records }) => records.map(({ series, number }) => ({ series, number })));
  expect(found).toEqual(served);
  expect(pages.map(({ duplicates }) => duplicates)).toEqual([0, 1, 0]);
  expect(new Set(served.map(({ series }) => series)).size).toBeLessThan(served.length);
});

it('takes a stream without a parent as one list', async () => {
  const { stream: organizations } = roles.parent;
  expect(await all(client.parents(organizations))).toEqual([{}]);
  const uuids = api.organizations().map(({ uuid }) => uuid);
  expect((await all(client.all(organizations))).map(({ uuid }: { uuid: string }) => uuid)).toEqual(uuids);
});
