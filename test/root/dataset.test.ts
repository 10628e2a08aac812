import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { startFixtureApi } from '../../fixtures/api/index.js';
import { compact, createSink, LocalStorage, prune, verify } from '../../src/index.js';
import { filesBelow, RUN_DATE, take, temporaryFolder } from '../run/support/tree.js';

describe('a root', () => {
  it('holds one format: another one is refused before anything is asked of the API', async () => {
    await using api = await startFixtureApi({ sizes: [1] });
    await using root = await temporaryFolder();
    await take(api, root.path);
    const before = await filesBelow(root.path);
    const asked = api.requests.length;
    await expect(take(api, root.path, { sink: createSink('csv') })).rejects.toMatchObject({
      code: 'dataset_mismatch',
      exitCode: 2,
    });
    expect(api.requests).toHaveLength(asked);
    expect(await filesBelow(root.path)).toEqual(before);
  });

  it.each([
    ['was written by an older version', '{"format":"ndjson","schema_version":1}\n'],
    ['was written by a newer version', '{"dataset":"directory","format":"ndjson","manifest_version":3}\n'],
    [
      'has a description with a field that is not known',
      '{"dataset":"directory","format":"ndjson","manifest_version":2,"x":1}\n',
    ],
    ['has a description that was cut', '{"format":"nd'],
  ])('that %s is refused by every command in one sentence', async (_, description) => {
    await using api = await startFixtureApi({ sizes: [1] });
    await using root = await temporaryFolder();
    const storage = new LocalStorage(root.path);
    await mkdir(join(root.path, '_runs'));
    await writeFile(join(root.path, '_runs/dataset.json'), description);
    const before = await filesBelow(root.path);
    const commands = {
      dump: () => take(api, root.path),
      compact: () => compact({ storage, runDate: RUN_DATE }),
      prune: () => prune({ storage, keepDays: 1 }),
      verify: () => verify({ storage }),
    };
    for (const command of Object.values(commands))
      await expect(command()).rejects.toMatchObject({
        code: 'root_of_other_version',
        exitCode: 2,
        message: `${root.path} was written by another version of this connector, which this one cannot read. Choose another folder.`,
      });
    expect(api.requests).toEqual([]);
    expect(await filesBelow(root.path)).toEqual(before);
  });
});
