import { createWriteStream } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type FixtureApi, startFixtureApi } from '../../fixtures/api/index.js';
import type { OrganizationUser, User } from '../../src/streams/users.js';
import { all, rejection, testClient } from '../client/test-client.js';

let api: FixtureApi;
let client: ReturnType<typeof testClient>;
let uuid: string;
beforeEach(async () => {
  api = await startFixtureApi({ sizes: [1000, 40, 0, 333] });
  client = testClient(api);
  uuid = String(api.organizations()[0]?.uuid);
});
afterEach(async () => {
  await client.close();
  await api.close();
});

const served = () =>
  api.organizations().flatMap(({ uuid }) => [...api.users(String(uuid))].map(({ id }) => `${uuid}/${id}`));

describe('a Readable of users', () => {
  it('gives every user once, in the order served', async () => {
    const users: User[] = await all(client.organizations.streamUsers(uuid, { limit: 100 }));
    expect(users.map(({ id }) => id)).toEqual([...api.users(uuid)].map(({ id }) => id));
    expect(users[0]).toEqual({ ...users[0], extra: {} });
  });

  it.each([1, 3, 100])('asks for at most one page of %d beyond the one being read', async (limit) => {
    const stream = client.organizations.streamUsers(uuid, { limit });
    let read = 0;
    for await (const _ of stream) {
      read += 1;
      await delay(1); // a reader that is slower than the server
      const pageBeingRead = Math.ceil(read / limit);
      expect(api.requests.length).toBeLessThanOrEqual(pageBeingRead + 1);
      if (read === 12) break;
    }
  });

  it('requests nothing more while its reader waits, and nothing before it is read', async () => {
    const unread = client.organizations.streamUsers(uuid, { limit: 10 });
    await delay(50);
    expect(api.requests).toHaveLength(0);
    const stuck = new Writable({ objectMode: true, highWaterMark: 1, write: () => undefined });
    unread.pipe(stuck);
    await delay(100);
    expect(api.requests).toHaveLength(1);
    unread.destroy();
  });

  it('aborts the request in flight when it is destroyed', async () => {
    api.fault({ match: { page: 1 }, do: { type: 'hang' } });
    const stream = client.organizations.streamUsers(uuid, { limit: 100 });
    stream.resume();
    await expect.poll(() => api.requests.length).toBe(2);
    stream.destroy();
    await expect.poll(() => api.requests[1]?.aborted).toBe(true);
    await delay(50);
    expect(api.requests).toHaveLength(2);
  });

  it('ends a pipeline with the error of the page that failed', async () => {
    api.fault({ match: { page: 1 }, do: { type: 'data-null' } });
    const nowhere = new Writable({ objectMode: true, write: (_, __, done) => done() });
    const failing = pipeline(client.organizations.streamUsers(uuid, { limit: 100 }), nowhere);
    expect(await rejection(failing)).toMatchObject({ code: 'data_missing' });
  });

  it('ends at once when its signal aborts, even while nobody reads', async () => {
    const controller = new AbortController();
    const stream = client.organizations.streamUsers(uuid, { limit: 100, signal: controller.signal });
    const failing = new Promise((resolve) => stream.once('error', resolve));
    controller.abort();
    expect(await failing).toMatchObject({ name: 'AbortedError', code: 'aborted' });
    const late = client.organizations.streamUsers(uuid, { signal: controller.signal });
    expect(await rejection(all(late))).toMatchObject({ code: 'aborted' });
    expect(api.requests).toHaveLength(0);
  });

  it('can be piped into a file', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'streams-'));
    const file = join(folder, 'users.ndjson');
    const lines = async function* (users: AsyncIterable<User>) {
      for await (const user of users) yield `${JSON.stringify(user)}\n`;
    };
    await pipeline(client.organizations.streamUsers(uuid), lines, createWriteStream(file));
    const written = (await readFile(file, 'utf8'))
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as User);
    expect(written.map(({ id }) => id)).toEqual([...api.users(uuid)].map(({ id }) => id));
    await rm(folder, { recursive: true });
  });
});

describe('a Readable of all users', () => {
  it.each([1, 2, 8])('gives every membership once, %d organisations at a time', async (concurrency) => {
    const users: OrganizationUser[] = await all(
      client.organizations.streamAllUsers({ concurrency, limit: 50 }),
    );
    const keys = users.map(({ organization_uuid, id }) => `${organization_uuid}/${id}`);
    expect(keys.toSorted()).toEqual(served().toSorted());
    for (const { uuid } of api.organizations()) {
      const own = keys.filter((key) => key.startsWith(String(uuid)));
      expect(own).toEqual(served().filter((key) => key.startsWith(String(uuid))));
    }
  });

  it.each([0, 65, 1.5])('refuses %d organisations at a time', async (concurrency) => {
    expect(await rejection(all(client.organizations.streamAllUsers({ concurrency })))).toMatchObject({
      code: 'invalid_concurrency',
    });
    expect(api.requests).toHaveLength(0);
  });

  it('holds at most a page for each organisation that is open', async () => {
    const stream = client.organizations.streamAllUsers({ concurrency: 2, limit: 10 });
    for await (const _ of stream) {
      await delay(60);
      break;
    }
    // The list, and at most two pages of each organisation: the one being read, and the one beyond.
    expect(api.requests.length).toBeLessThanOrEqual(1 + 2 * 2);
  });

  it('leaves out an organisation that is unlinked meanwhile, and reports it', async () => {
    const gone = String(api.organizations()[1]?.uuid);
    const users: OrganizationUser[] = [];
    for await (const user of client.organizations.streamAllUsers({ concurrency: 1, limit: 100 })) {
      if (users.length === 0) api.unlink(gone); // listed already, and not asked for yet
      users.push(user as OrganizationUser);
    }
    expect(new Set(users.map(({ organization_uuid }) => organization_uuid))).not.toContain(gone);
    expect(client.events).toContainEqual(
      expect.objectContaining({
        type: 'slice-failed',
        stream: 'users',
        parent: { organization_uuid: gone },
        verdict: 'gone',
        code: 'parent_gone',
      }),
    );
  });

  it('ends with the error of an organisation that failed, and what was in flight with it', async () => {
    api.fault({ match: { organizationUuid: uuid, page: 1 }, do: { type: 'data-null' } });
    expect(await rejection(all(client.organizations.streamAllUsers({ limit: 100 })))).toMatchObject({
      code: 'data_missing',
    });
    await delay(20); // what was on its way arrives
    const asked = api.requests.length;
    await delay(50);
    expect(api.requests).toHaveLength(asked);
  });

  it('keeps `__proto__` and `extra` as the API served them', async () => {
    await using awkward = await startFixtureApi({ sizes: [60], awkward: true });
    await using reader = testClient(awkward);
    const [organization] = awkward.organizations();
    const users: OrganizationUser[] = await all(reader.organizations.streamAllUsers());
    const originals = [...awkward.users(String(organization?.uuid))];
    expect(users).toHaveLength(originals.length);
    for (const [index, original] of originals.entries()) {
      const { organization_uuid, extra, ...known } = users[index] as OrganizationUser;
      const texts = Object.entries(known).filter(([, value]) => value !== null);
      const rebuilt = Object.fromEntries([...Object.entries(extra), ...texts]);
      const sent = Object.entries(original).filter(([name, value]) => value !== null || !(name in known));
      expect(Object.entries(rebuilt).toSorted()).toEqual(sent.toSorted());
      expect(Object.getPrototypeOf(extra)).toBe(Object.prototype);
    }
  });
});
