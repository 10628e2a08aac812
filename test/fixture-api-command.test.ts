import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { request } from 'node:http';
import { createInterface } from 'node:readline';
import { afterEach, expect, test } from 'vitest';

let child: ChildProcess | undefined;
afterEach(() => {
  child?.kill('SIGKILL');
});

/** Starts the command and gives its first line. */
async function run(...flags: string[]): Promise<string> {
  child = spawn(process.execPath, ['--import', 'tsx', 'fixtures/api/main.ts', ...flags], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  if (!child.stdout) throw new Error('no stdout');
  const [line] = (await once(createInterface(child.stdout), 'line')) as [string];
  return line;
}

test('the command serves what its flags say, and ends well on SIGTERM', async () => {
  const line = await run('--orgs', '2', '--users', '9', '--key', 'sk-ant-api01-mine', '--contract', 'whole');
  const [, url, key] = /^fixture API on (http:\/\/127\.0\.0\.1:\d+) {2}key: (\S+)$/.exec(line) ?? [];
  expect(key).toBe('sk-ant-api01-mine');
  const answer = await fetch(`${url}/v1/compliance/organizations`, { headers: { 'x-api-key': key ?? '' } });
  expect(await answer.json()).toEqual({ data: [expect.anything(), expect.anything()] });
  child?.kill('SIGTERM');
  expect(await once(child as ChildProcess, 'exit')).toEqual([0, null]);
});

test('for programs it prints JSON, takes all options, and ends with its parent', async () => {
  const options = { sizes: [1, 2, 3], scopes: [] };
  const { url, key } = JSON.parse(
    await run('--json', '--exit-with-parent', '--options', JSON.stringify(options)),
  ) as { url: string; key: string };
  const answer = await fetch(`${url}/v1/compliance/organizations`, { headers: { 'x-api-key': key } });
  expect(answer.status).toBe(403);
  child?.stdin?.end();
  expect(await once(child as ChildProcess, 'exit')).toEqual([0, null]);
});

test('requests under way do not keep it from ending', async () => {
  const { url } = JSON.parse(await run('--json', '--latency', '600000')) as { url: string };
  const pending = request(`${url}/v1/compliance/organizations`, { headers: { expect: '100-continue' } });
  const broken = once(pending, 'error');
  await once(pending, 'continue'); // the server has it
  child?.kill('SIGINT');
  expect(await once(child as ChildProcess, 'exit')).toEqual([0, null]);
  await broken;
});
