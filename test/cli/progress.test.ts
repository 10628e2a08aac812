import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { text } from 'node:stream/consumers';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { openProgress } from '../../connectors/kit/progress.js';
import { timeLeft } from '../../connectors/kit/time-left.js';
import { type FixtureApi, startFixtureApi } from '../../fixtures/api/index.js';
import type { ComplianceEvent } from '../../src/index.js';
import { temporaryFolder } from '../run/support/tree.js';
import { environmentOf, run } from './command.js';
import { noTerminal, runOnTerminal } from './terminal.js';

let api: FixtureApi;
let folder: Awaited<ReturnType<typeof temporaryFolder>>;
beforeAll(async () => {
  api = await startFixtureApi({ sizes: [3, 40, 1200], latency: 30 });
});
afterAll(() => api.close());
beforeEach(async () => {
  folder = await temporaryFolder();
});
afterEach(() => folder[Symbol.asyncDispose]());

const argsFor = (...more: string[]) => [
  'dump',
  ...['--out', join(folder.path, 'out'), '--format', 'csv', '--requests-per-minute', '0', ...more],
];

describe('progress', () => {
  it('is JSON lines where stderr is no terminal, with keys in snake_case', async () => {
    const { code, stderr } = await run(argsFor(), { env: environmentOf(api) });
    expect(code).toBe(0);
    const events = stderr
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(new Set(events.map(({ type }) => type))).toEqual(
      new Set([
        ...['started', 'run-started', 'page', 'slices-listed', 'slice-written', 'published', 'finished'],
      ]),
    );
    for (const key of events.flatMap(Object.keys)) expect(key).toMatch(/^[a-z_]+$/);
    const written = events.filter(({ type, stream }) => type === 'slice-written' && stream === 'users');
    expect(written.map(({ parent, rows }) => [parent, rows])).toEqual(
      expect.arrayContaining(
        [3, 40, 1200].map((size, i) => [{ organization_uuid: api.organizations()[i]?.uuid }, size]),
      ),
    );
    for (const { at } of events) expect(new Date(String(at)).toISOString()).toBe(at);
  });

  it('is silence with none', async () => {
    expect(await run(argsFor('--progress', 'none'), { env: environmentOf(api) })).toMatchObject({
      code: 0,
      stderr: '',
    });
  });

  async function onTerminal(environment: NodeJS.ProcessEnv): Promise<string | undefined> {
    if (noTerminal !== undefined) return undefined;
    const { code, shown } = await runOnTerminal(argsFor(), { environment: environmentOf(api, environment) });
    expect(code).toBe(0);
    return shown;
  }

  it('is a bar on a terminal, which leaves the cursor shown and then gives way to the summary', async (context) => {
    const shown = await onTerminal({});
    if (shown === undefined) return context.skip();
    expect(shown).toContain('\u001B[36m');
    expect(shown).toMatch(/[01]\/3 lists · [\d,]+ rows\/s · [\d,]+ rows/);
    expect(shown.lastIndexOf('\u001B[?25h')).toBeGreaterThan(shown.lastIndexOf('\u001B[?25l'));
    expect(shown.slice(shown.lastIndexOf(' lists · '))).toContain('complete snapshot of');
    expect(shown).not.toContain('"type"');
  });

  /** The bar's last text after some events, on a terminal that is only a stream. */
  async function barAfter(...events: ComplianceEvent[]): Promise<string> {
    const stderr = Object.assign(new PassThrough(), { isTTY: true });
    const { signal } = new AbortController();
    const context = { stdout: stderr, stderr, environment: { NO_COLOR: '1' }, signal };
    const { onEvent, close } = openProgress('bar', context);
    for (const event of events) onEvent(event);
    close();
    stderr.end();
    const drawn = (await text(stderr)).split('\u001B').filter((piece) => piece.includes('lists'));
    return /\d+\/\d+ lists .*/.exec(drawn.at(-1) ?? '')?.[0] ?? '';
  }

  it('counts the lists of every stream that has a parent; of a resumed run those that are done, too', async () => {
    const parent = { organization_uuid: 'u' };
    const events: ComplianceEvent[] = [
      { type: 'page', path: '/', records: 3, bytes: 1, stream: 'organizations' },
      { type: 'slice-written', stream: 'organizations', rows: 3 },
      { type: 'slices-listed', slices: 6, open: 4 },
      { type: 'page', path: '/', records: 1005, bytes: 1, stream: 'users', parent },
      { type: 'slice-written', stream: 'users', parent, rows: 1005 },
      { type: 'slices-listed', slices: 10, open: 10 },
      { type: 'slice-failed', stream: 'roles', parent, verdict: 'gone', code: 'c', message: 'm' },
    ];
    expect(await barAfter(...events.slice(0, 3))).toMatch(/^2\/6 lists .* 0 rows$/);
    expect(await barAfter(...events.slice(0, 5))).toMatch(/^3\/6 lists .* 1,005 rows$/);
    expect(await barAfter(...events)).toMatch(/^4\/16 lists .* 1,005 rows$/);
    const off = { type: 'slice-failed', stream: 'roles', parent, code: 'c', message: 'm' } as const;
    expect(await barAfter(...events, { ...off, verdict: 'unavailable' })).toMatch(/^5\/16 lists /);
  });

  it('says how long the rest will take, once a few lists are done, and no longer than they are open', () => {
    const left = (done: number, open: number, seconds: number) =>
      timeLeft({ done, open, passed: 1000 * seconds });
    expect(left(2, 100, 1)).toBe('');
    expect(left(10, 0, 1)).toBe('');
    expect(left(10, 10, 40)).toBe('40 s');
    expect(left(10, 100, 60)).toBe('10 min');
    expect(left(10, 1000, 39)).toBe('1 h 5 min');
    expect(left(1000, 1, 1)).toBe('1 s');
  });

  it('has no colour when NO_COLOR is set', async (context) => {
    const shown = await onTerminal({ NO_COLOR: '1' });
    if (shown === undefined) return context.skip();
    expect(shown).toMatch(/\d\/3 lists/);
    expect(shown).not.toContain('\u001B[36m');
  });
});
