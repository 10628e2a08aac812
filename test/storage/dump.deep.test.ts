import { randomUUID } from 'node:crypto';
import { chmod, rename, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startFixtureApi } from '../../fixtures/api/index.js';
import { LocalStorage } from '../../src/index.js';
import { temporaryFolder } from '../run/support/tree.js';
import { dumpContract } from './dump-contract.js';
import { commandLine, dumpFlags, type Place } from './dump-place.js';
import { listing } from './objects.js';

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
beforeAll(async () => {
  folder = await temporaryFolder();
});
afterAll(() => folder[Symbol.asyncDispose]());

const place: Place = {
  newRoot: () => join(folder.path, randomUUID()),
  open: async (root) => new LocalStorage(root),
  flags: () => [],
  environment: () => ({}),
};

describe('in a local folder', () => {
  dumpContract(place);

  it('verify reports a file that became a link, and one that others may read', async () => {
    await using api = await startFixtureApi({ sizes: [3, 4] });
    const root = place.newRoot();
    const { run } = commandLine(place);
    const call = { home: folder.path, api };
    expect((await run('dump', dumpFlags(root), call)).code).toBe(0);
    const [linked = '', readable = ''] = Object.keys(await listing(new LocalStorage(root), 'users'));
    await rename(join(root, linked), join(root, 'elsewhere'));
    await symlink(join(root, 'elsewhere'), join(root, linked));
    await chmod(join(root, readable), 0o644);
    const { code, text } = await run('verify', ['--out', root], call);
    expect(code).toBe(1);
    expect(text).toContain(`link: ${linked}: `);
    expect(text).toContain(`mode: ${readable}: has mode 0644, more than 0600`);
    expect(text).toContain('DAMAGED: 2 findings.');
  });
});
