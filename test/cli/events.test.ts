import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type FixtureApi, startFixtureApi } from '../../fixtures/api/index.js';
import { VERSION } from '../../src/index.js';
import { temporaryFolder } from '../run/support/tree.js';
import { environmentOf, say } from './command.js';

let api: FixtureApi;
let folder: Awaited<ReturnType<typeof temporaryFolder>>;
beforeAll(async () => {
  api = await startFixtureApi({ sizes: [3, 40], awkward: true });
  folder = await temporaryFolder();
});
afterAll(async () => {
  await api.close();
  await folder[Symbol.asyncDispose]();
});

type Event = Record<string, unknown>;

const dump = async (...more: string[]) => {
  const out = ['--out', join(folder.path, 'out'), '--format', 'ndjson', '--requests-per-minute', '0'];
  const said = await say(['dump', ...out, '--progress', 'json', ...more], environmentOf(api));
  const events = said.stderr
    .split('\n')
    .flatMap((line) => (line.startsWith('{') ? [JSON.parse(line) as Event] : []));
  return { ...said, events };
};
/** RFC 3339 in UTC with milliseconds, wherever an event has a time. */
const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;

describe('the events of a run', () => {
  it('begin with version and settings, end with the result, and have time, level, message and run id', async () => {
    const keyFile = join(folder.path, 'key');
    await writeFile(keyFile, api.key);
    const { code, stdout, stderr, events } = await dump('--json', '--api-key-file', keyFile);
    expect(code).toBe(0);
    const { manifest } = JSON.parse(stdout) as { manifest: { run_id: string; run_date: string } };
    const [first = {}, ...others] = events;
    const last = others.at(-1);
    expect(first).toMatchObject({ level: 'info', type: 'started', command: 'dump', version: VERSION });
    expect(first.settings).toMatchObject({ api_key_file: keyFile, format: ['ndjson'], page_size: 1000 });
    expect(last).toMatchObject({
      ...{ level: 'info', type: 'finished', status: 'ok', exit_code: 0, error_code: null },
      rows: { organizations: 2, users: 43 },
    });
    for (const { at, level, message } of events) {
      expect(at).toMatch(TIME);
      expect(level).toMatch(/^(?:info|warn|error)$/);
      expect(message).toMatch(/^[A-Za-z0-9].*\.$/);
    }
    expect(first).not.toHaveProperty('run_id');
    expect(others[0]).toMatchObject({ type: 'run-started', run_date: manifest.run_date, is_resumed: false });
    expect(new Set(others.map(({ run_id }) => run_id))).toEqual(new Set([manifest.run_id]));
    expect(stderr).not.toContain(api.key);
    const people = [...api.users(String(api.organizations()[0]?.uuid))];
    for (const { email } of people) expect(stderr).not.toContain(String(email));
  });

  it('of a run that fails have its error code, and warnings before', async () => {
    const organizationUuid = String(api.organizations()[0]?.uuid);
    api.fault({ match: { organizationUuid, times: 2 }, do: { type: 'answer', status: 500 } });
    const { code, stderr, events } = await dump('--max-retries', '1', '--fresh');
    expect(code).toBe(75);
    const retries = events.filter(({ type }) => type === 'retrying');
    expect(retries.length).toBeGreaterThan(0);
    for (const { level, until } of retries) expect([level, TIME.test(String(until))]).toEqual(['warn', true]);
    expect(events.at(-1)).toMatchObject({
      level: 'error',
      type: 'finished',
      status: 'failed',
      exit_code: 75,
    });
    expect(stderr).toContain(`[${events.at(-1)?.error_code}]`);
  });

  it('have no setting that may hold a secret', async () => {
    const command = ['--api-key-command', `printf %s ${api.key}`];
    const { code, stderr, events } = await dump(...command);
    expect(code).toBe(0);
    expect(Object.keys(events[0]?.settings as object)).not.toContain('api_key_command');
    expect(stderr).not.toContain(api.key);
  });
});
