import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { setTimeout as delay } from 'node:timers/promises';
import { beforeAll, describe, expect, it } from 'vitest';
import { DOCUMENTATION_URL } from '../../connectors/airbyte/spec.js';
import { startFixtureApi } from '../../fixtures/api/index.js';
import { catalogOf, configFor, file, run, servedKeys } from './harness.js';
import { peakRss, start, wholeLines } from './process.js';
import { errors, logs, message, only, records, statuses } from './protocol.js';

let catalog: string;
beforeAll(async () => {
  catalog = file(await catalogOf());
});
const readArgs = (config: object) => ['read', '--config', file(config), '--catalog', catalog];

describe('the process', () => {
  it('has written everything when it ends with 0, however slow its reader is', async () => {
    await using api = await startFixtureApi({ sizes: [40_000] });
    const { child, ended } = start(readArgs(configFor(api)));
    const chunks: Buffer[] = [];
    let peak = 0;
    for await (const chunk of child.stdout ?? []) {
      chunks.push(chunk);
      peak = Math.max(peak, peakRss(child.pid) ?? 0);
      await delay(2);
    }
    expect(await ended).toEqual({ code: 0, signal: null, stderr: '' });
    const messages = wholeLines(chunks).map((line) => message.parse(JSON.parse(line)));
    expect(records(messages, 'users')).toHaveLength(servedKeys(api).size);
    expect(statuses(messages, 'users').at(-1)?.status).toBe('COMPLETE');
    expect(peak).toBeLessThan(350);
  });

  it.each(['--help', '-h'])(
    'answers %s to a person: the four commands, the shortest configuration, the guide',
    async (flag) => {
      const { child, ended } = start([flag]);
      const said = await text(child.stdout as NodeJS.ReadableStream);
      expect(await ended).toEqual({ code: 0, signal: null, stderr: '' });
      for (const word of ['spec', 'check --config', 'discover --config', 'read --config FILE --catalog FILE'])
        expect(said).toContain(`  source-claude-compliance ${word}`);
      expect(said).toContain('{"api_key": "sk-ant-api01-…"}');
      expect(said).toContain(DOCUMENTATION_URL);
      expect(Math.max(...said.split('\n').map((line) => line.length))).toBeLessThanOrEqual(120);
    },
  );

  it('is ended by SIGTERM, requests nothing more and claims nothing', async () => {
    await using api = await startFixtureApi({ sizes: [50_000], latency: 20 });
    const { child, ended } = start(readArgs(configFor(api)));
    const chunks: Buffer[] = [];
    child.stdout?.on('data', (chunk) => chunks.push(chunk));
    while (!Buffer.concat(chunks).includes('"id":"user_'))
      await once(child.stdout as NodeJS.EventEmitter, 'data');
    child.kill('SIGTERM');
    expect(await ended).toEqual({ code: null, signal: 'SIGTERM', stderr: '' });
    expect(api.requests.length).toBeLessThan(52);
    const messages = wholeLines(chunks).map((line) => message.parse(JSON.parse(line)));
    expect(statuses(messages, 'users').map(({ status }) => status)).toEqual(['STARTED', 'RUNNING']);
    expect(errors(messages)).toEqual([]);
  });

  it('is ended by SIGTERM also while its reader reads nothing', async () => {
    await using api = await startFixtureApi({ sizes: [20_000] });
    const { child, ended } = start(readArgs(configFor(api)));
    const [first] = (await once(child.stdout as NodeJS.EventEmitter, 'data')) as [Buffer];
    child.stdout?.pause();
    while (api.requests.length < 4) await delay(20);
    child.kill('SIGTERM');
    const exited = await once(child, 'exit');
    expect(exited).toEqual([null, 'SIGTERM']);
    child.stdout?.destroy();
    await ended;
    expect(first.length).toBeGreaterThan(0);
  });

  it('ends quietly, but not with 0, when its reader closes the pipe', async () => {
    await using api = await startFixtureApi({ sizes: [50_000] });
    const { child, ended } = start(readArgs(configFor(api)));
    await once(child.stdout as NodeJS.EventEmitter, 'data');
    child.stdout?.destroy();
    expect(await ended).toEqual({ code: 1, signal: null, stderr: '' });
    expect(api.requests.length).toBeLessThan(52);
  });

  it('uses the proxy that the environment names', async () => {
    const nowhere = { HTTP_PROXY: 'http://127.0.0.1:1' };
    await using api = await startFixtureApi({ sizes: [3] });
    const checked = await run(['check', '--config', file(configFor(api))], { environment: nowhere });
    expect(checked.exitCode).toBe(1);
    expect(api.requests).toEqual([]);
    expect(only(checked.messages, 'CONNECTION_STATUS')).toEqual([]);
    expect(logs(checked.messages, 'WARN')).toEqual([]);
  });
});
