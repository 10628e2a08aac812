import { readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { proxyOf } from '../../connectors/kit/connection.js';
import { pingFinish } from '../../connectors/kit/finish-ping.js';
import { metricsText } from '../../connectors/kit/metrics-file.js';
import type { RunResult } from '../../connectors/kit/run-result.js';
import { type FixtureApi, startFixtureApi } from '../../fixtures/api/index.js';
import { VERSION } from '../../src/index.js';
import { temporaryFolder } from '../run/support/tree.js';
import { environmentOf, say } from './command.js';

let api: FixtureApi;
let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let server: Server;
let pings: { method: string | undefined; url: string | undefined; body: string }[];
/** What the server answers with; 0: nothing at all. */
let answers: number[];

beforeEach(async () => {
  api = await startFixtureApi({ sizes: [3, 40] });
  folder = await temporaryFolder();
  pings = [];
  answers = [];
  server = createServer(async (request: IncomingMessage, response) => {
    pings.push({ method: request.method, url: request.url, body: await text(request) });
    const status = answers.shift() ?? 200;
    if (status > 0) response.writeHead(status, { location: '/elsewhere' }).end('OK');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
});
afterEach(async () => {
  server.closeAllConnections();
  server.close();
  await api.close();
  await folder[Symbol.asyncDispose]();
});

const address = (path: string) => `http://127.0.0.1:${(server.address() as AddressInfo).port}${path}`;
const out = () => join(folder.path, 'out');
const dump = async (...more: string[]) =>
  await say(
    [
      'dump',
      '--out',
      out(),
      '--format',
      'ndjson',
      '--requests-per-minute',
      '0',
      '--progress',
      'none',
      ...more,
    ],
    environmentOf(api),
  );
const fail = () => {
  const organizationUuid = String(api.organizations()[0]?.uuid);
  api.fault({ match: { organizationUuid, times: 1 }, do: { type: 'answer', status: 500 } });
};

const RESULT: RunResult = {
  command: 'dump',
  status: 'ok',
  exitCode: 0,
  errorCode: null,
  runDate: '2026-11-23',
  runId: 'r',
  location: 's3://lake/acme',
  rows: { users: 1 },
  requests: 2,
  bytes: 3,
  startedAt: new Date('2026-11-23T01:00:00.000Z'),
  finishedAt: new Date('2026-11-23T01:00:01.500Z'),
};

describe('--on-finish', () => {
  it('gets the result by one POST, with rows and without personal data', async () => {
    const { code, stdout, stderr } = await dump(
      '--json',
      '--on-finish',
      address('/ping/uuid/{exit_code}?a=1'),
    );
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    const { manifest } = JSON.parse(stdout);
    const [ping, ...more] = pings;
    expect(more).toEqual([]);
    expect(ping).toMatchObject({ method: 'POST', url: '/ping/uuid/0?a=1' });
    const { started_at, finished_at, bytes, ...result } = JSON.parse(ping?.body ?? '');
    expect(result).toEqual({
      ...{ command: 'dump', status: 'ok', exit_code: 0, error_code: null, version: VERSION },
      ...{ run_date: manifest.run_date, run_id: manifest.run_id, location: out() },
      ...{ rows: { organizations: 2, users: 43 }, requests: 3 },
    });
    expect(bytes).toBeGreaterThan(1000);
    expect(new Date(started_at).toISOString() <= new Date(finished_at).toISOString()).toBe(true);
    expect([started_at, finished_at]).toEqual(
      [started_at, finished_at].map((at) => new Date(at).toISOString()),
    );
  });

  it('gets the error code and the exit code after a failure', async () => {
    fail();
    const { code } = await dump('--max-retries', '0', '--on-finish', address('/{exit_code}'));
    expect(code).toBe(75);
    const [ping] = pings;
    expect(ping?.url).toBe('/75');
    expect(JSON.parse(ping?.body ?? '')).toMatchObject({ status: 'failed', exit_code: 75, rows: {} });
    expect(JSON.parse(ping?.body ?? '').error_code).toMatch(/^[a-z_]+$/);
    expect(ping?.body).not.toContain(api.key);
  });

  it('that does not take it is a warning after two tries, which does not repeat the address', async () => {
    answers = [503, 302];
    const { code, stderr } = await dump('--on-finish', address('/secret'));
    expect(code).toBe(0);
    expect(pings).toHaveLength(2);
    expect(stderr).toMatch(
      /^warning: --on-finish was not delivered to 127\.0\.0\.1:\d+: it answered with 302\. .*\n$/,
    );
    expect(stderr).not.toContain('secret');
    answers = [500];
    expect(await dump('--on-finish', address('/second-try'))).toMatchObject({ code: 0, stderr: '' });
  });

  it('that never answers, or is not there, does not hold the run up', async () => {
    answers = [0, 0];
    const ping = { url: address('/secret'), proxy: {}, limitMs: 50 };
    expect(await pingFinish(RESULT, ping)).toMatch(/: no answer within 0\.05 s\. /);
    expect(await pingFinish(RESULT, { ...ping, url: 'http://127.0.0.1:1/secret' })).toMatch(
      /: ECONNREFUSED\. /,
    );
  });

  it('goes through the proxy that the client uses, unless its host is excepted', async () => {
    const tunnels: (string | undefined)[] = [];
    server.on('connect', ({ url }, socket) => {
      tunnels.push(url);
      socket.write('HTTP/1.1 200 OK\r\n\r\n');
      server.emit('connection', socket);
    });
    const proxy = proxyOf({ HTTP_PROXY: address(''), NO_PROXY: '127.0.0.1' });
    expect(await pingFinish(RESULT, { url: 'http://monitor.invalid/x', proxy })).toBeUndefined();
    expect(await pingFinish(RESULT, { url: address('/direct'), proxy })).toBeUndefined();
    expect(tunnels).toEqual(['monitor.invalid:80']);
    expect(pings.map(({ url }) => url)).toEqual(['/x', '/direct']);
  });

  it.each(['ftp://host/x', 'host/x', 'https://user:secret@host/x'])('refuses %s', async (url) => {
    const { code, stderr } = await dump('--on-finish', url);
    expect(code).toBe(2);
    expect(stderr).toContain('--on-finish must be an address such as https://hc-ping.com/');
    expect(stderr).not.toContain('secret');
  });

  it('is silent after a dry run', async () => {
    expect(await dump('--dry-run', '--on-finish', address('/x'))).toMatchObject({ code: 0 });
    expect(pings).toEqual([]);
  });
});

const NAME = '[a-zA-Z_:][a-zA-Z0-9_:]*';
const LABEL = String.raw`[a-zA-Z_][a-zA-Z0-9_]*="(?:[^"\\\n]|\\["\\n])*"`;
const SAMPLE = new RegExp(`^(${NAME})\\{(${LABEL}(?:,${LABEL})*)\\} (-?\\d+(?:\\.\\d+)?(?:e[+-]?\\d+)?)$`);

/** Parses the exposition format strictly: HELP and TYPE once and first, samples of a metric together, no series twice. */
function parseMetrics(exposed: string): Map<string, number> {
  expect(exposed.endsWith('\n')).toBe(true);
  const found = new Map<string, number>();
  const begun: string[] = [];
  const lines = exposed.slice(0, -1).split('\n');
  for (let i = 0; i < lines.length; ) {
    const [, name = ''] = new RegExp(`^# HELP (${NAME}) [^\\\\]+$`).exec(lines[i] ?? '') ?? [];
    expect(lines[i + 1]).toBe(`# TYPE ${name} gauge`);
    expect(begun).not.toContain(name);
    begun.push(name);
    for (i += 2; i < lines.length && !lines[i]?.startsWith('#'); i += 1) {
      const [, sample, labels, value] = SAMPLE.exec(lines[i] ?? '') ?? [];
      expect(sample, lines[i]).toBe(name);
      const series = `${name.replace('claude_compliance_', '')}{${labels}}`;
      expect(found.has(series)).toBe(false);
      found.set(series, Number(value));
    }
  }
  return found;
}

describe('--metrics-file', () => {
  const path = () => join(folder.path, 'claude.prom');
  const labels = () => `command="dump",location="${out()}"`;

  it('has the result of a run, and keeps the time of the last success when the next one fails', async () => {
    expect(await dump('--metrics-file', path())).toMatchObject({ code: 0, stderr: '' });
    const first = parseMetrics(await readFile(path(), 'utf8'));
    const ended = first.get(`last_run_timestamp_seconds{${labels()}}`) ?? 0;
    expect(Math.abs(Date.now() / 1000 - ended)).toBeLessThan(3600);
    expect(first.get(`last_success_timestamp_seconds{${labels()}}`)).toBe(ended);
    expect(first.get(`last_run_exit_code{${labels()}}`)).toBe(0);
    expect(first.get(`last_run_requests{${labels()}}`)).toBe(3);
    expect(first.get(`last_run_rows{${labels()},table="organizations"}`)).toBe(2);
    expect(first.get(`last_run_rows{${labels()},table="users"}`)).toBe(43);
    expect(first.get(`last_run_bytes{${labels()}}`)).toBeGreaterThan(1000);
    expect((await stat(path())).mode & 0o777).toBe(0o644);
    expect((await readdir(folder.path)).filter((name) => name.includes('prom'))).toEqual(['claude.prom']);

    fail();
    expect(await dump('--max-retries', '0', '--fresh', '--metrics-file', path())).toMatchObject({ code: 75 });
    const second = parseMetrics(await readFile(path(), 'utf8'));
    expect(second.get(`last_run_exit_code{${labels()}}`)).toBe(75);
    expect(second.get(`last_success_timestamp_seconds{${labels()}}`)).toBe(ended);
    expect(second.get(`last_run_timestamp_seconds{${labels()}}`)).toBeGreaterThan(ended);
    expect([...second.keys()].filter((series) => series.startsWith('last_run_rows'))).toEqual([]);
  });

  it('knows of no success when there was none, or only one of another root', async () => {
    const other = metricsText({ ...RESULT, location: '/other' }, 7);
    await writeFile(path(), other);
    fail();
    await dump('--max-retries', '0', '--metrics-file', path());
    const series = [...parseMetrics(await readFile(path(), 'utf8')).keys()];
    expect(series.length).toBeGreaterThan(3);
    expect(series.filter((name) => name.startsWith('last_success'))).toEqual([]);
  });

  it('escapes what a label may not have', () => {
    const location = 'a"b\\c\nd\\n é';
    const written = parseMetrics(metricsText({ ...RESULT, location }, 5));
    expect([...written.keys()][0]).toBe(
      'last_run_timestamp_seconds{command="dump",location="a\\"b\\\\c\\nd\\\\n é"}',
    );
    expect([...written.values()]).toEqual([1795395601.5, 0, 5, 1.5, 2, 3, 1]);
  });

  it('that cannot be written is a warning', async () => {
    const { code, stderr } = await dump('--metrics-file', join(folder.path, 'no-folder/x.prom'));
    expect(code).toBe(0);
    expect(stderr).toMatch(/^warning: --metrics-file .* cannot be written \(ENOENT\)\.\n$/);
    expect(await dump('--metrics-file', 'x.txt')).toMatchObject({ code: 2 });
  });

  it('has the result of a load, too', async () => {
    await dump();
    const load = ['load', 'duckdb', '--from', out(), '--database', join(folder.path, 'd.duckdb')];
    const { code } = await say([...load, '--progress', 'none', '--metrics-file', path()], environmentOf());
    expect(code).toBe(0);
    const series = parseMetrics(await readFile(path(), 'utf8'));
    expect(series.get(`last_run_rows{command="load",location="${out()}",table="users"}`)).toBe(43);
    expect(series.get(`last_run_requests{command="load",location="${out()}"}`)).toBe(0);
  });
});
