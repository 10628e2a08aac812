import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { startFixtureApi } from '../../fixtures/api/index.js';
import { catalogOf, configFor, file } from './harness.js';
import { peakRss, start } from './process.js';

it('a slow reader gets all of 1,000,000 records, and the source does not grow meanwhile', async () => {
  await using api = await startFixtureApi({ sizes: [600_000, 250_000, 150_000] });
  const args = ['read', '--config', file(configFor(api)), '--catalog', file(await catalogOf())];
  const { child, ended } = start(args);
  let users = 0;
  let lines = 0;
  let peak = 0;
  let last = '';
  for await (const line of createInterface({ input: child.stdout as NodeJS.ReadableStream })) {
    lines += 1;
    if (line.startsWith('{"type":"RECORD","record":{"stream":"users"')) users += 1;
    if (lines % 5_000 === 0) {
      peak = Math.max(peak, peakRss(child.pid) ?? 0);
      await delay(20);
    }
    last = line;
  }
  expect(await ended).toEqual({ code: 0, signal: null, stderr: '' });
  expect(users).toBe(1_000_000);
  expect(JSON.parse(last)).toMatchObject({ trace: { stream_status: { status: 'COMPLETE' } } });
  console.log(`1,000,000 records into a slow reader: peak RSS ${peak.toFixed(0)} MB`);
  expect(peak).toBeLessThan(350);
});
