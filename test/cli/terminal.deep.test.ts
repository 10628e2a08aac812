import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type FixtureApi, startFixtureApi } from '../../fixtures/api/index.js';
import { temporaryFolder, uuidOf } from '../run/support/tree.js';
import { environmentOf, say } from './command.js';
import { noTerminal, runOnTerminal, screens, startOnTerminal } from './terminal.js';

if (noTerminal !== undefined) console.log(`not run: ${noTerminal}`);

let api: FixtureApi;
let folder: Awaited<ReturnType<typeof temporaryFolder>>;
beforeEach(async () => {
  api = await startFixtureApi({ sizes: [5, 40, 1200] });
  folder = await temporaryFolder();
});
afterEach(async () => {
  await api.close();
  await folder[Symbol.asyncDispose]();
});

const dumpArgs = (...more: string[]) => [
  'dump',
  '--out',
  join(folder.path, 'out'),
  '--format',
  'csv',
  ...more,
];
const NOWHERE = { ANTHROPIC_COMPLIANCE_BASE_URL: 'http://127.0.0.1:1' };
const ERASED = new RegExp(`${'\u001B'}\\[2K$`);
const hangs = (match: object) => api.fault({ match, do: { type: 'hang' } });

describe('a host that nobody answers at', () => {
  it.each([['check'], ['preview', 'users'], ['dump', '--dry-run']])(
    'ends %s at once, without another attempt, and asks whether the address is right',
    async (...args) => {
      const { code, stdout, stderr } = await say(args, environmentOf(api, NOWHERE));
      expect({ code, stdout }).toEqual({ code: 75, stdout: '' });
      expect(stderr).toMatch(
        /^error: .*\(ECONNREFUSED\)\. Is the base URL right\? .*\[connection_refused\]\n$/,
      );
    },
  );

  it('has a name that is not known: the same', async () => {
    const environment = { ANTHROPIC_COMPLIANCE_BASE_URL: 'http://nowhere.invalid' };
    const { code, stderr } = await say(['check'], environmentOf(api, environment));
    expect(code).toBe(75);
    expect(stderr).toMatch(/^error: .* Is the base URL right\? .*\[host_not_found\]\n$/);
  });

  it('but breaks a connection, is asked again, which is said where there is no terminal too', async () => {
    api.fault({ match: { times: 1 }, do: { type: 'answer', status: 503 } });
    const { code, stderr } = await say(['check'], environmentOf(api));
    expect(code).toBe(0);
    expect(stderr).toMatch(/^note: tries again at \d\d:\d\d:\d\dZ \(\w+\)\n$/);
  });
});

describe.skipIf(noTerminal !== undefined)('on a terminal', () => {
  it.each([['check'], ['preview', 'users'], ['dump', '--dry-run']])(
    '%s says what it waits for while the host does not answer, and leaves nothing of it on the screen',
    async (...args) => {
      hangs({ times: 1 });
      const { over, shows, interrupt } = startOnTerminal(args, { environment: environmentOf(api) });
      await shows(`asking ${api.url}`);
      interrupt();
      const { shown } = await over;
      expect(shown.trimEnd()).toMatch(ERASED);
    },
  );

  it('dump says that it reads the organisations, and that it tries again, before there is a bar', async () => {
    const { shown } = await runOnTerminal(dumpArgs('--max-retries', '1'), {
      environment: environmentOf(api, NOWHERE),
    });
    expect(screens(shown)).toEqual([
      'reading organizations',
      expect.stringMatching(
        /^reading organizations · tries again at \d\d:\d\d:\d\dZ \(connection_refused\)$/,
      ),
      expect.stringMatching(/^error: .*\[connection_refused\]$/),
    ]);
  });

  it.each([60, 100, 200])(
    'dump says on %i columns that it waits for the budget, and until when, on one line',
    async (columns) => {
      const args = dumpArgs('--requests-per-minute', '120', '--page-size', '100');
      const { code, shown } = await runOnTerminal(args, { columns, environment: environmentOf(api) });
      expect(code).toBe(0);
      const waits = screens(shown).filter((line) => line.includes('waits for'));
      expect(waits.length).toBeGreaterThan(0);
      for (const line of waits) expect(line).toMatch(/waits for the budget until \d\d:\d\d:\d\dZ/);
      const bars = screens(shown).filter((line) => /\d\/3 lists/.test(line));
      for (const line of bars) expect(line.length).toBeLessThanOrEqual(columns);
    },
  );

  it('Ctrl-C in a dump says what is kept; the next run says what is done, and its bar starts there', async () => {
    hangs({ organizationUuid: uuidOf(api, 2), times: 1 });
    const args = dumpArgs('--requests-per-minute', '0', '--concurrency', '1');
    const first = startOnTerminal(args, { environment: environmentOf(api) });
    await first.shows(/2\/3 lists/);
    first.interrupt();
    const stopped = screens((await first.over).shown);
    expect(stopped.at(-1)).toBe('stopped; what was read is kept, run the same command to resume');

    const { code, shown } = await runOnTerminal(args, { environment: environmentOf(api) });
    expect(code).toBe(0);
    const lines = screens(shown);
    const at = lines.indexOf('resuming: 2 of 3 lists are done');
    expect(at).toBeGreaterThan(-1);
    expect(lines[at + 1]).toMatch(/ 2\/3 lists /);
    expect(shown).toContain('complete snapshot of');
  });
});
