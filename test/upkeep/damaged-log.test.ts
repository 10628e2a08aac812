import { cp, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { startFixtureApi } from '../../fixtures/api/index.js';
import { compact, LocalStorage, prune } from '../../src/index.js';
import { moved } from '../run/support/clocks.js';
import { filesBelow, pathsOf, RUN_DATE, take, temporaryFolder } from '../run/support/tree.js';

const DAY = 24 * 60 * 60 * 1000;

it.each<[string, (entry: string) => Promise<void>]>([
  ['lacks an entry', (entry) => rm(entry)],
  ['has an entry that was changed', async (entry) => writeFile(entry, `${await readFile(entry, 'utf8')} `)],
  ['has an entry that was cut', (entry) => writeFile(entry, '{"seq":2,')],
])('by a log that %s nothing is published, combined or removed', async (_, damage) => {
  await using api = await startFixtureApi({ sizes: [3, 2] });
  await using root = await temporaryFolder();
  for (const runDate of ['2026-11-20', '2026-11-21', '2026-11-22']) await take(api, root.path, { runDate });
  const manifest = await take(api, root.path);
  // Of a run that died long ago: with an intact log it would be removed.
  const [part = ''] = pathsOf(manifest, 'users');
  await cp(
    join(root.path, part),
    join(root.path, part.replace(manifest.run_id, '20200101T000000Z-0123abcd')),
  );
  await damage(join(root.path, '_runs/log/00000002.json'));
  const before = await filesBelow(root.path);
  const asked = api.requests.length;
  const storage = new LocalStorage(root.path);
  const commands = {
    dump: () => take(api, root.path),
    'dump of another day': () => take(api, root.path, { runDate: '2026-11-24' }),
    compact: () => compact({ storage, runDate: RUN_DATE }),
    'dry run of compact': () => compact({ storage, runDate: RUN_DATE, dryRun: true }),
    prune: () => prune({ storage, keepDays: 1, clock: moved(30 * DAY) }),
  };
  for (const [name, command] of Object.entries(commands)) {
    const refused = command();
    await expect(refused, name).rejects.toMatchObject({ code: 'log_damaged', exitCode: 1 });
    await expect(refused).rejects.toThrow(/damaged at entry [23]: .* Nothing was done\. Restore _runs\/log/);
  }
  expect(api.requests).toHaveLength(asked);
  expect(await filesBelow(root.path)).toEqual(before);
});
