import { createHash } from 'node:crypto';
import { readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { LocalStorage } from '../../src/index.js';
import { startMadeUpApi } from '../diff/support/made-up-api.js';
import { take } from '../diff/support/take.js';
import { HOSTILE, hostileDay } from '../report/support/hostile-day.js';
import { temporaryFolder } from '../run/support/tree.js';
import { environmentOf, say } from './command.js';

const DATE = '2026-11-23';

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
beforeAll(async () => {
  folder = await temporaryFolder();
  await using api = await startMadeUpApi();
  for (const runDate of ['2026-11-21', DATE])
    await take(api, new LocalStorage(at('out')), hostileDay, { runDate });
});
afterAll(() => folder[Symbol.asyncDispose]());

const at = (name: string): string => join(folder.path, name);
const report = (output: string, ...args: string[]) =>
  say(
    ['report', '--out', at('out'), '--output', at(output), ...args],
    environmentOf(undefined, { XDG_STATE_HOME: at('state') }),
  );

describe('claude-compliance-connector report', () => {
  it('writes a page for its owner, and says what is in it', async () => {
    const { code, stdout, stderr } = await report('first.html');
    const { size, mode } = await stat(at('first.html'));
    expect([code, stderr]).toEqual([0, '']);
    expect(stdout).toBe(
      [
        `report of ${DATE} (complete): 19 people in 2 organisations, 2 days since 2026-11-21`,
        '  not read: 1 gap, which the page lists',
        `  in ${at('first.html')}: ${size.toLocaleString('en-GB')} bytes`,
        '',
      ].join('\n'),
    );
    expect(mode & 0o777).toBe(0o600);
  });

  it('replaces no file unless it is asked to', async () => {
    await writeFile(at('mine.html'), 'mine');
    expect(await report('mine.html')).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('--overwrite'),
    });
    expect(await readFile(at('mine.html'), 'utf8')).toBe('mine');
    expect(await report('mine.html', '--overwrite')).toMatchObject({ code: 0 });
  });

  it('lets no text of the data end a script or begin an element', async () => {
    await report('hostile.html');
    const page = await readFile(at('hostile.html'), 'utf8');
    expect(page.match(/<script\b/g)).toHaveLength(7);
    expect(page.match(/<\/script\b/g)).toHaveLength(7);
    expect(page).not.toMatch(/<img|<svg|onerror="|<!-- /);
    const data = JSON.parse(/id="data">([^<]*)<\/script>/.exec(page)?.[1] ?? '');
    expect(new Set(data.people.rows.map(([, name]: string[]) => name))).toEqual(new Set(HOSTILE));
    expect(data.people.organizations).toEqual(HOSTILE.slice(0, 2));
  });

  it('names no script that is not in the page, and all that are', async () => {
    const page = await readFile(at('hostile.html'), 'utf8');
    const policy = /Content-Security-Policy" content="([^"]*)"/.exec(page)?.[1] ?? '';
    expect(policy).toContain('default-src &#39;none&#39;');
    const named = policy.match(/sha256-[\w+/=]+/g) ?? [];
    const bodies = [...page.matchAll(/<(script|style)(?: type="module")?>([\s\S]*?)<\/\1>/g)].map(
      ([, , body = '']) => body,
    );
    const hashes = bodies.map((body) => `sha256-${createHash('sha256').update(body).digest('base64')}`);
    expect(new Set(named)).toEqual(new Set(hashes));
    expect(page).not.toMatch(/sourceMappingURL|<link|\bsrc="/);
  });

  it('says what is wrong with the folder for temporary files', async () => {
    await writeFile(at('no-folder'), '');
    const { code, stderr } = await report('other.html', '--state', at('no-folder'));
    expect(code).toBe(2);
    expect(stderr).toMatch(/^error: Writing .*_staging failed \(ENOTDIR\)\. .*\[storage_enotdir\]\n$/);
  });

  it('replaces names where it is asked to', async () => {
    await writeFile(at('key'), 'k'.repeat(40), { mode: 0o600 });
    const flags = ['--pseudonymize', 'email,full_name', '--pseudonym-key-file', at('key')];
    expect(await report('pseudonyms.html', ...flags)).toMatchObject({ code: 0, stderr: '' });
    const page = await readFile(at('pseudonyms.html'), 'utf8');
    expect(page).toContain('These columns hold keyed pseudonyms: email, full_name');
    const data = JSON.parse(/id="data">([^<]*)<\/script>/.exec(page)?.[1] ?? '');
    for (const [, name, email] of data.people.rows) {
      expect(name).toMatch(/^([0-9a-f]{64})?$/);
      expect(email).toMatch(/^([0-9a-f]{64})?$/);
    }
  });

  it('takes no day without a snapshot, and none after its own', async () => {
    expect(await report('none.html', '--run-date', '2026-11-22')).toMatchObject({ code: 2 });
    const late = await report('none.html', '--since', '2026-11-24');
    expect(late).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('2026-11-24 is after 2026-11-23'),
    });
    expect(await report('none.html')).toMatchObject({ code: 0 });
  });
});
