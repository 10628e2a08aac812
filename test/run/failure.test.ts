import { describe, expect, it } from 'vitest';
import { startFixtureApi } from '../../fixtures/api/index.js';
import { type ComplianceEvent, createSink, LocalStorage, manifestFiles } from '../../src/index.js';
import {
  dataBelow,
  filesBelow,
  memberships,
  rowsOf,
  servedMemberships,
  take,
  temporaryFolder,
  uuidOf,
} from './support/tree.js';

const SERVER_ERROR = {
  type: 'answer',
  status: 503,
  body: { error: { type: 'overloaded_error', message: 'busy' } },
} as const;

describe('a list that cannot be read', () => {
  it('stops the run: nothing is published, and the current snapshot stays', async () => {
    await using api = await startFixtureApi({ sizes: [10, 20, 30] });
    await using root = await temporaryFolder();
    await take(api, root.path);
    const before = await filesBelow(root.path);
    api.fault({ match: { organizationUuid: uuidOf(api, 1) }, do: SERVER_ERROR });
    const failed = take(api, root.path);
    await expect(failed).rejects.toMatchObject({ exitCode: 75, failure: 'transient' });
    await expect(failed).rejects.toThrow('What was read is kept: run the same command again to resume.');
    const after = await filesBelow(root.path);
    const published = Object.entries(after).filter(([path]) => !path.startsWith('_staging'));
    expect(Object.fromEntries(published)).toEqual(before);
  });

  it('is left out with `continue`: the rest is published, as incomplete, and the manifest says which failed', async () => {
    await using api = await startFixtureApi({ sizes: [10, 2500, 30] });
    await using root = await temporaryFolder();
    api.fault({ match: { organizationUuid: uuidOf(api, 1), page: 1 }, do: SERVER_ERROR });
    const manifest = await take(api, root.path, { onOrgFailure: 'continue', rowsPerFile: 1500 });
    const slices = manifest.tables.users?.slices ?? [];
    expect(slices.map(({ parameters }) => parameters)).toEqual(Array(3).fill({ limit: '1000' }));
    expect(manifest).toMatchObject({ status: 'incomplete', totals: { rows: 43, failed: 1 } });
    expect(slices[1]).toMatchObject({
      parent: { organization_uuid: uuidOf(api, 1) },
      verdict: 'failed',
      rows: 0,
      files: [],
      reason: { code: expect.any(String) },
    });
    const served = servedMemberships(api).filter((key) => !key.startsWith(uuidOf(api, 1)));
    expect(memberships(await rowsOf(root.path, manifest, 'users'))).toEqual(served);
    const named = manifestFiles(manifest).map(({ path }) => path);
    expect(Object.keys(await dataBelow(root.path))).toEqual(named.sort());
  });

  it('of roles is a list of its own: the users of the same organisation are published', async () => {
    await using api = await startFixtureApi({ sizes: [10, 20] });
    await using root = await temporaryFolder();
    api.fault({ match: { list: 'roles', organizationUuid: uuidOf(api, 1) }, do: SERVER_ERROR });
    const manifest = await take(api, root.path, {
      streams: ['organizations', 'users', 'roles'],
      onOrgFailure: 'continue',
    });
    expect(manifest).toMatchObject({ status: 'incomplete', totals: { failed: 1 } });
    expect(memberships(await rowsOf(root.path, manifest, 'users'))).toEqual(servedMemberships(api));
    expect(manifest.tables.roles?.slices.map(({ verdict }) => verdict)).toEqual(['complete', 'failed']);
  });

  it('of organisations fails the run in any case: nothing is known of the rest', async () => {
    await using api = await startFixtureApi({ sizes: [10] });
    await using root = await temporaryFolder();
    api.fault({ match: { list: 'organizations' }, do: SERVER_ERROR });
    await expect(take(api, root.path, { onOrgFailure: 'continue' })).rejects.toMatchObject({ exitCode: 75 });
    expect(await dataBelow(root.path)).toEqual({});
  });

  it('never makes an incomplete snapshot replace a complete one, unless forced', async () => {
    await using api = await startFixtureApi({ sizes: [10, 20] });
    await using root = await temporaryFolder();
    await take(api, root.path);
    api.fault({ match: { organizationUuid: uuidOf(api, 1) }, do: SERVER_ERROR });
    const attempt = (force: boolean) => take(api, root.path, { onOrgFailure: 'continue', force });
    await expect(attempt(false)).rejects.toMatchObject({ code: 'incomplete_refused', exitCode: 1 });
    expect(await attempt(true)).toMatchObject({ status: 'incomplete', tables: { users: { rows: 10 } } });
  });

  it('is requested again, and it alone, by the run after one that was refused for it', async () => {
    await using api = await startFixtureApi({ sizes: [10, 20] });
    await using root = await temporaryFolder();
    await take(api, root.path);
    api.fault({ match: { organizationUuid: uuidOf(api, 1), times: 1 }, do: SERVER_ERROR });
    const attempt = () => take(api, root.path, { onOrgFailure: 'continue' });
    await expect(attempt()).rejects.toMatchObject({ code: 'incomplete_refused' });
    const asked = api.requests.length;
    expect(await attempt()).toMatchObject({ status: 'complete', tables: { users: { rows: 30 } } });
    const users = api.requests.slice(asked).flatMap(({ organizationUuid }) => organizationUuid ?? []);
    expect(users).toEqual([uuidOf(api, 1)]);
  });

  it('is `gone`, and no failure, when it answers 404 and its organisation is no longer listed', async () => {
    await using api = await startFixtureApi({ sizes: [10, 20, 30] });
    await using root = await temporaryFolder();
    const parent = { organization_uuid: uuidOf(api, 1) };
    const events: ComplianceEvent[] = [];
    const manifest = await take(api, root.path, {
      concurrency: 1,
      onEvent(event) {
        events.push(event);
        if (event.type === 'slice-written' && event.stream === 'users') api.unlink(parent.organization_uuid);
      },
    });
    expect(manifest).toMatchObject({
      status: 'complete',
      totals: { gone: 1, failed: 0 },
      tables: { organizations: { rows: 3 }, users: { rows: 40 } },
    });
    expect(manifest.tables.users?.slices[1]).toMatchObject({ parent, verdict: 'gone', rows: 0 });
    const failure = { type: 'slice-failed', stream: 'users', parent, verdict: 'gone' };
    expect(events).toContainEqual(expect.objectContaining(failure));
  });

  it('with a user that has no id is refused: a membership without its key is no evidence', async () => {
    await using api = await startFixtureApi({ sizes: [3] });
    await using root = await temporaryFolder();
    const body = { data: [{ email: 'a@example.com' }], has_more: false, next_page: null };
    api.fault({
      match: { organizationUuid: uuidOf(api, 0) },
      do: { type: 'answer', status: 200, body },
    });
    const attempt = take(api, root.path);
    await expect(attempt).rejects.toMatchObject({ code: 'record_without_key', exitCode: 1 });
    await expect(attempt).rejects.not.toThrow('example.com');
  });

  it('for want of a scope fails the run in any case, as a configuration error', async () => {
    await using api = await startFixtureApi({ sizes: [3, 4], scopes: ['read:compliance_org_data'] });
    await using root = await temporaryFolder();
    await expect(take(api, root.path, { onOrgFailure: 'continue' })).rejects.toMatchObject({ exitCode: 2 });
  });
});

describe('ids that are to name folders', () => {
  it.each<[string, string, string[]]>([
    ['could leave the root', 'parent_id_invalid', ['../../../escaped']],
    ['differ in case only', 'parent_id_ambiguous', ['0B3C', '0b3c']],
  ])('that %s are refused, and nothing is written', async (_, code, uuids) => {
    await using api = await startFixtureApi({ sizes: [1] });
    await using root = await temporaryFolder();
    const data = uuids.map((uuid) => ({ uuid, name: null, created_at: null }));
    const body = { data, has_more: false, next_page: null };
    api.fault({ do: { type: 'answer', status: 200, body } });
    await expect(take(api, `${root.path}/root`)).rejects.toMatchObject({ code, exitCode: 1 });
    expect(await dataBelow(`${root.path}/root`)).toEqual({});
    const written = Object.keys(await filesBelow(root.path));
    expect(written.filter((path) => /escaped|0b3c/i.test(path))).toEqual([]);
  });
});

describe('records that are served twice', () => {
  it('are dropped, counted in the manifest, and published once', async () => {
    await using api = await startFixtureApi({ sizes: [2500] });
    await using root = await temporaryFolder();
    api.repeat(uuidOf(api, 0), 999);
    const manifest = await take(api, root.path);
    expect(manifest).toMatchObject({ totals: { duplicates: 1 }, tables: { users: { rows: 2500 } } });
    expect(memberships(await rowsOf(root.path, manifest, 'users'))).toEqual(servedMemberships(api));
  });

  it('with other values are counted apart, and the first ones are published', async () => {
    await using api = await startFixtureApi({ sizes: [2500, 3] });
    await using root = await temporaryFolder();
    api.repeat(uuidOf(api, 0), 998);
    api.repeat(uuidOf(api, 0), 999);
    api.fault({
      match: { organizationUuid: uuidOf(api, 0), page: 1 },
      do: {
        type: 'envelope',
        change({ data, ...page }) {
          const [first, ...rest] = data as object[];
          return { ...page, data: [{ ...first, email: 'other@example.com' }, ...rest] };
        },
      },
    });
    const manifest = await take(api, root.path);
    expect(manifest.totals).toMatchObject({ rows: 2505, duplicates: 2, differing: 1 });
    expect(manifest.tables.users?.slices.map(({ differing }) => differing)).toEqual([1, 0]);
    expect(memberships(await rowsOf(root.path, manifest, 'users'))).toEqual(servedMemberships(api));
    const texts = await rowsOf(root.path, manifest, 'users');
    expect(JSON.stringify(texts)).not.toContain('other@example.com');
    expect(JSON.stringify(manifest)).not.toContain('example.com');
  });

  it('are not counted when a stale token made the walk start again: they were read twice, not served twice', async () => {
    await using api = await startFixtureApi({ sizes: [3500] });
    await using root = await temporaryFolder();
    const match = { organizationUuid: uuidOf(api, 0), page: 2, times: 1 };
    api.fault({ match, do: { type: 'stale-token' } });
    const manifest = await take(api, root.path);
    expect(manifest).toMatchObject({ totals: { duplicates: 0 }, tables: { users: { rows: 3500 } } });
    expect(memberships(await rowsOf(root.path, manifest, 'users'))).toEqual(servedMemberships(api));
  });
});

describe('several targets', () => {
  it('of one format or one root are refused before anything is asked of the API', async () => {
    await using api = await startFixtureApi({ sizes: [1] });
    await using root = await temporaryFolder();
    const [storage, other] = [new LocalStorage(root.path), new LocalStorage(`${root.path}/other`)];
    for (const target of [
      { sink: createSink('ndjson', { compression: 'gzip' }), storage: other },
      { sink: createSink('csv'), storage },
    ]) {
      const both = take(api, root.path, { alsoTo: [target], state: `${root.path}/state` });
      await expect(both).rejects.toMatchObject({ code: 'targets_not_distinct', exitCode: 2 });
    }
    expect(api.requests).toEqual([]);
  });
});

describe('a sink', () => {
  it('that ends a file before it has taken every row fails the run, which does not wait for it', async () => {
    await using api = await startFixtureApi({ sizes: [2500] });
    await using root = await temporaryFolder();
    const hasty = {
      ...createSink('ndjson'),
      async *encode(_: unknown, batches: AsyncIterable<unknown>) {
        for await (const _batch of batches) {
          yield new Uint8Array();
          return;
        }
      },
    };
    await expect(take(api, root.path, { sink: hasty })).rejects.toMatchObject({ code: 'sink_ended_early' });
    expect(await dataBelow(root.path)).toEqual({});
  });
});
