import { describe, expect, it } from 'vitest';
import { type FixtureApi, startFixtureApi } from '../../fixtures/api/index.js';
import { type ComplianceEvent, createSink, LocalStorage } from '../../src/index.js';
import { filesBelow, memberships, rowsOf, servedMemberships, take, temporaryFolder } from './tree.js';

const SERVER_ERROR = {
  type: 'answer',
  status: 503,
  body: { error: { type: 'overloaded_error', message: 'busy' } },
} as const;

const uuidOf = (api: FixtureApi, index: number): string => String(api.organizations()[index]?.uuid);

describe('an organisation that cannot be read', () => {
  it('stops the run: nothing is published, and what stood there stays', async () => {
    await using api = await startFixtureApi({ sizes: [10, 20, 30] });
    await using root = await temporaryFolder();
    await take(api, root.path);
    const before = await filesBelow(root.path);
    api.fault({ match: { organizationUuid: uuidOf(api, 1) }, do: SERVER_ERROR });
    await expect(take(api, root.path)).rejects.toMatchObject({ exitCode: 75, failure: 'transient' });
    const after = await filesBelow(root.path);
    for (const path of Object.keys(before)) expect([path, after[path]]).toEqual([path, before[path]]);
  });

  it('is left out with `continue`: the rest is landed, as incomplete, and the manifest says which failed', async () => {
    await using api = await startFixtureApi({ sizes: [10, 2500, 30] });
    await using root = await temporaryFolder();
    api.fault({ match: { organizationUuid: uuidOf(api, 1), page: 1 }, do: SERVER_ERROR });
    const manifest = await take(api, root.path, { onOrgFailure: 'continue', rowsPerFile: 1500 });
    expect(manifest.slices.map(({ parameters }) => parameters)).toEqual(Array(3).fill({ limit: 1000 }));
    expect(manifest).toMatchObject({ status: 'incomplete', totals: { users: 40, failed: 1 } });
    expect(manifest.slices[1]).toMatchObject({
      verdict: 'failed',
      rows: 0,
      files: [],
      reason: { code: expect.any(String) },
    });
    const served = servedMemberships(api).filter((key) => !key.startsWith(uuidOf(api, 1)));
    expect(memberships(await rowsOf(root.path, manifest, 'users'))).toEqual(served);
    const listed = [...manifest.organizations.files, ...manifest.slices.flatMap(({ files }) => files)].map(
      ({ path }) => path,
    );
    const onDisk = Object.keys(await filesBelow(root.path)).filter((path) => !path.startsWith('_'));
    expect(onDisk).toEqual(listed.sort());
  });

  it('never makes an incomplete snapshot replace a complete one, unless forced', async () => {
    await using api = await startFixtureApi({ sizes: [10, 20] });
    await using root = await temporaryFolder();
    await take(api, root.path);
    api.fault({ match: { organizationUuid: uuidOf(api, 1) }, do: SERVER_ERROR });
    const attempt = (force: boolean) => take(api, root.path, { onOrgFailure: 'continue', force });
    await expect(attempt(false)).rejects.toMatchObject({ code: 'incomplete_refused', exitCode: 1 });
    expect(await attempt(true)).toMatchObject({ status: 'incomplete', totals: { users: 10 } });
  });

  it('is asked for again, and it alone, by the run after one that was refused for it', async () => {
    await using api = await startFixtureApi({ sizes: [10, 20] });
    await using root = await temporaryFolder();
    await take(api, root.path);
    api.fault({ match: { organizationUuid: uuidOf(api, 1), times: 1 }, do: SERVER_ERROR });
    const attempt = () => take(api, root.path, { onOrgFailure: 'continue' });
    await expect(attempt()).rejects.toMatchObject({ code: 'incomplete_refused' });
    const asked = api.requests.length;
    expect(await attempt()).toMatchObject({ status: 'complete', totals: { users: 30 } });
    const users = api.requests.slice(asked).flatMap(({ organizationUuid }) => organizationUuid ?? []);
    expect(users).toEqual([uuidOf(api, 1)]);
  });

  it('is `gone`, and no failure, when it answers 404 and is no longer listed', async () => {
    await using api = await startFixtureApi({ sizes: [10, 20, 30] });
    await using root = await temporaryFolder();
    const gone = uuidOf(api, 1);
    const events: ComplianceEvent[] = [];
    const manifest = await take(api, root.path, {
      concurrency: 1,
      onEvent(event) {
        events.push(event);
        if (event.type === 'slice-written') api.unlink(gone);
      },
    });
    expect(manifest).toMatchObject({
      status: 'complete',
      totals: { organizations: 3, users: 40, gone: 1, failed: 0 },
    });
    expect(manifest.slices[1]).toMatchObject({ organization_uuid: gone, verdict: 'gone', rows: 0 });
    expect(events).toContainEqual(
      expect.objectContaining({ type: 'slice-failed', organizationUuid: gone, verdict: 'gone' }),
    );
  });

  it('with a user that has no id is refused: a membership without its key is no evidence', async () => {
    await using api = await startFixtureApi({ sizes: [3] });
    await using root = await temporaryFolder();
    api.fault({
      match: { organizationUuid: uuidOf(api, 0) },
      do: {
        type: 'answer',
        status: 200,
        body: { data: [{ email: 'a@example.com' }], has_more: false, next_page: null },
      },
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

describe('records that are served twice', () => {
  it('are dropped, counted in the manifest, and land once', async () => {
    await using api = await startFixtureApi({ sizes: [2500] });
    await using root = await temporaryFolder();
    api.repeat(uuidOf(api, 0), 999);
    const manifest = await take(api, root.path);
    expect(manifest.totals).toMatchObject({ users: 2500, duplicates: 1 });
    expect(memberships(await rowsOf(root.path, manifest, 'users'))).toEqual(servedMemberships(api));
  });

  it('are not counted when a stale token made the walk begin anew: they were read twice, not served twice', async () => {
    await using api = await startFixtureApi({ sizes: [3500] });
    await using root = await temporaryFolder();
    api.fault({
      match: { organizationUuid: uuidOf(api, 0), page: 2, times: 1 },
      do: { type: 'stale-token' },
    });
    const manifest = await take(api, root.path);
    expect(manifest.totals).toMatchObject({ users: 3500, duplicates: 0 });
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
    expect(Object.keys(await filesBelow(root.path)).filter((path) => !path.startsWith('_'))).toEqual([]);
  });
});
