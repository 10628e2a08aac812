import { once } from 'node:events';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type FixtureApi, startFixtureApi } from '../../fixtures/api/index.js';
import { readLog, type Storage, streams } from '../../src/index.js';
import { runOfPart } from '../../src/lake/paths.js';
import { temporaryFolder } from '../run/support/tree.js';
import { dumpContract } from './dump-contract.js';
import {
  type CommandLine,
  commandLine,
  currentManifest,
  dumpFlags,
  type Place,
  published,
  served,
} from './dump-place.js';
import { listing } from './objects.js';
import { type Seen, startProxy } from './servers/proxy.js';

/** A bucket on a server of a test. */
export interface BucketPlace extends Place {
  endpoint: string;
  /** In a bucket that does not exist. */
  missingRoot: string;
  /** By which method an object is uploaded in one request. */
  put: 'PUT' | 'POST';
}

const SIZES = [0, 1, 1000, 2500];

/** What a dump to a bucket does, also when it is interrupted while it publishes. */
export function bucketDumpContract(place: BucketPlace): void {
  dumpContract(place);

  let api: FixtureApi;
  let folder: Awaited<ReturnType<typeof temporaryFolder>>;
  let root: string;
  let storage: Storage;
  let commands: CommandLine;
  beforeEach(async () => {
    api = await startFixtureApi({ sizes: SIZES });
    folder = await temporaryFolder();
    root = place.newRoot();
    storage = await place.open(root);
    commands = commandLine(place);
  });
  afterEach(async () => {
    await api.close();
    await folder[Symbol.asyncDispose]();
  });

  const machine = (name: string, endpoint?: string) => ({
    home: join(folder.path, name),
    api,
    ...(endpoint !== undefined && { endpoint }),
  });
  const isUploadOfUsers = ({ method, url }: Seen): boolean =>
    method === place.put && decodeURIComponent(url).includes('/users/run_date=');
  const expectVerified = async (): Promise<void> => {
    const { code, text } = await commands.run('verify', ['--out', root, '--all'], machine('any'));
    expect([code, text]).toEqual([0, text]);
  };
  const dataFiles = async (): Promise<string[]> => {
    const found: string[] = [];
    for (const { name } of streams) found.push(...Object.keys(await listing(storage, name)));
    return found;
  };
  const listsRequested = (): number => api.requests.filter(({ organizationUuid }) => organizationUuid).length;

  describe('a dump that is refused while it publishes', () => {
    it('leaves nothing in the tables, and is resumed without another request for a list', async () => {
      let left = 2;
      // The endpoint is a part of what names the state, so the same one is used for both dumps.
      await using proxy = await startProxy(place.endpoint, {
        refuse: (seen) => isUploadOfUsers(seen) && left-- <= 0,
      });
      const call = machine('a', proxy.endpoint);
      const refused = await commands.run('dump', dumpFlags(root), call);
      expect(refused).toMatchObject({ code: 2, text: expect.stringContaining('[storage_denied]') });
      expect(refused.text).not.toMatch(/^\s+at /m);
      expect(await dataFiles()).toEqual([]);
      expect(await readLog(storage)).toEqual([]);

      left = Number.POSITIVE_INFINITY;
      const requested = listsRequested();
      expect(requested).toBeGreaterThan(0);
      const resumed = await commands.run('dump', dumpFlags(root), call);
      expect([resumed.code, listsRequested()]).toEqual([0, requested]);
      expect(await published(storage)).toEqual(served(api));
      expect((await currentManifest(storage)).attempts).toHaveLength(2);
      await expectVerified();
    });
  });

  describe('a dump that is killed while it publishes', () => {
    it('can never be published once another machine has dumped the day, and its files are removed', async () => {
      let kill = () => {};
      await using proxy = await startProxy(place.endpoint, {
        cut(seen) {
          if (!isUploadOfUsers(seen)) return undefined;
          kill();
          return 'after';
        },
      });
      const dying = commands.start('dump', dumpFlags(root), machine('a', proxy.endpoint));
      kill = () => dying.kill('SIGKILL');
      const [code, signal] = await once(dying, 'exit');
      expect([code, signal]).toEqual([null, 'SIGKILL']);
      const [deadRun, ...others] = new Set((await dataFiles()).map(runOfPart));
      expect([deadRun, others]).toEqual([expect.any(String), []]);

      api.insertUser(String(api.organizations()[0]?.uuid)); // what the dead run has read is another list
      const { code: ended, text } = await commands.run('dump', dumpFlags(root), machine('b'));
      expect([ended, text]).toEqual([0, text]);
      expect(await published(storage)).toEqual(served(api));
      expect((await dataFiles()).filter((key) => runOfPart(key) === deadRun)).toEqual([]);
      const log = (await readLog(storage)).map(({ entry }) => [entry?.action, entry?.replaces]);
      expect(log).toEqual([
        ['abandon', deadRun],
        ['publish', null],
      ]);
      expect(Object.keys(await listing(storage, '_runs/leases'))).toEqual([]);
      await expectVerified();
    });
  });

  it('a bucket that is missing is reported before a list is requested', async () => {
    const { code, text } = await commands.run('dump', dumpFlags(place.missingRoot), machine('a'));
    expect([code, text]).toEqual([2, expect.stringContaining('[storage_bucket_missing]')]);
    expect(text).not.toMatch(/^\s+at /m);
    expect(api.requests).toEqual([]);
  });
}
