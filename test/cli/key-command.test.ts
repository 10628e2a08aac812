import { chmod, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { text as textOf } from 'node:stream/consumers';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { secretFrom, wordsOf } from '../../connectors/kit/key-command.js';
import { type FixtureApi, startFixtureApi } from '../../fixtures/api/index.js';
import { temporaryFolder } from '../run/support/tree.js';
import { run, say } from './command.js';

let api: FixtureApi;
let folder: Awaited<ReturnType<typeof temporaryFolder>>;
beforeAll(async () => {
  api = await startFixtureApi({ sizes: [1] });
  folder = await temporaryFolder();
});
afterAll(async () => {
  await api.close();
  await folder[Symbol.asyncDispose]();
});

/** A program in a folder whose name has a space; it counts its runs. */
async function program(name: string, script: string): Promise<{ path: string; runs(): Promise<number> }> {
  const path = join(folder.path, `the ${name}`);
  const log = `${path}.log`;
  await writeFile(path, `#!/bin/sh\necho run >> "${log}"\n${script}\n`);
  await chmod(path, 0o755);
  const runs = async () => (await readFile(log, 'utf8').catch(() => '')).split('\n').length - 1;
  return { path, runs };
}
const check = (...more: string[]) => ['check', '--base-url', api.url, '--max-retries', '0', ...more];
const asFlag = (path: string, more = '') => ['--api-key-command', `"${path}" ${more}`];

describe('--api-key-command', () => {
  it('runs once, gives the first line as the key, and passes on what it says on stderr', async () => {
    const vault = await program(
      'vault',
      `echo "unlocking $2 for $TENANT" >&2; printf '%s\\r\\nnot the key\\n' '${api.key}'`,
    );
    const args = check(...asFlag(vault.path, "kv 'get one'"));
    const { code, stdout, stderr } = await say(args, { PATH: process.env.PATH, TENANT: 'acme' });
    expect({ code, stderr }).toEqual({ code: 0, stderr: 'unlocking get one for acme\n' });
    expect(stdout).not.toContain(api.key);
    expect(await vault.runs()).toBe(1);
  });

  it('works from the built command, and from a file and a variable', async () => {
    const vault = await program('second vault', `echo '${api.key}'`);
    const config = join(folder.path, 'command.yaml');
    await writeFile(config, `api-key-command: '"${vault.path}"'\n`);
    const env = { PATH: process.env.PATH };
    expect(await run(check(...asFlag(vault.path)), { env })).toMatchObject({ code: 0 });
    expect(await say(check('--config', config), env)).toMatchObject({ code: 0 });
    const variable = { ...env, CLAUDE_COMPLIANCE_API_KEY_COMMAND: `"${vault.path}"` };
    expect(await say(check(), variable)).toMatchObject({ code: 0 });
  });

  it('wins as a flag over the environment, and loses to it from a file', async () => {
    const right = await program('right', `echo '${api.key}'`);
    const wrong = await program('wrong', 'echo sk-ant-api01-wrong');
    const keyFile = join(folder.path, 'key');
    await writeFile(keyFile, api.key);
    const config = join(folder.path, 'wrong.yaml');
    await writeFile(config, `api-key-command: '"${wrong.path}"'\n`);
    const env = { PATH: process.env.PATH };
    const wrongKey = { ...env, ANTHROPIC_COMPLIANCE_ACCESS_KEY: 'sk-ant-api01-wrong' };
    const rightKey = { ...env, ANTHROPIC_COMPLIANCE_ACCESS_KEY: api.key };
    const fileVariable = { ...env, CLAUDE_COMPLIANCE_API_KEY_FILE: keyFile };
    expect(await say(check(...asFlag(right.path)), wrongKey)).toMatchObject({ code: 0 });
    expect(await say(check('--config', config), rightKey)).toMatchObject({ code: 0 });
    expect(await say(check('--config', config), fileVariable)).toMatchObject({ code: 0 });
    expect(await say(check('--config', config, '--api-key-file', keyFile), env)).toMatchObject({ code: 0 });
    expect(await wrong.runs()).toBe(0);
    expect(await say(check(...asFlag(wrong.path)), rightKey)).toMatchObject({ code: 2 });
  });

  it('and --api-key-file exclude each other in one place, and neither is used', async () => {
    const vault = await program('unused', `echo '${api.key}'`);
    const { code, stderr } = await say(check(...asFlag(vault.path), '--api-key-file', '/nowhere'), {});
    expect(code).toBe(2);
    expect(stderr).toBe(
      'error: --api-key-file and --api-key-command exclude each other. [settings_invalid]\n',
    );
    expect(await vault.runs()).toBe(0);
  });

  it('is not run when another setting is wrong, nor for a load that needs no key', async () => {
    const vault = await program('never run', `echo '${api.key}'`);
    await say(check(...asFlag(vault.path), '--page-size', '0'), {});
    const from = join(folder.path, 'no-root');
    const load = ['load', 'duckdb', '--from', from, '--database', join(folder.path, 'x.duckdb')];
    const { stderr } = await say([...load, ...asFlag(vault.path)], {});
    expect(stderr).toContain('[snapshot_missing]');
    expect(await vault.runs()).toBe(0);
  });

  it.each([
    ['ends with an error', 'echo sk-ant-api01-secret; exit 3', 'ended with exit code 3'],
    ['is killed', 'echo sk-ant-api01-secret; kill -9 $$', 'ended by SIGKILL'],
    ['prints nothing', 'echo; echo sk-ant-api01-secret', 'printed no key on its first line'],
    ['prints a file', 'yes sk-ant-api01-secret', 'printed too much to be a key'],
  ])('that %s is reported without what it printed, with exit code 2', async (name, script, why) => {
    const { path } = await program(name, script);
    const { code, stdout, stderr } = await say(check(...asFlag(path)), { PATH: process.env.PATH });
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toBe(`error: The command of --api-key-command ${why}. [key_command_failed]\n`);
  });

  it.each([
    ['sk-ant-api01-secret', 'cannot be run (ENOENT)'],
    ['op read "secret', 'has a quote that does not end'],
    [' ', 'is empty'],
  ])('%j is refused without repeating it', async (command, why) => {
    const { code, stderr } = await say(check('--api-key-command', command), { PATH: process.env.PATH });
    expect(code).toBe(2);
    expect(stderr).toBe(`error: The command of --api-key-command ${why}. [key_command_failed]\n`);
  });

  it('is given up after a time, also when something that it started lives on', async () => {
    const { path } = await program('sleeper', 'sleep 30 & sleep 30');
    const { signal } = new AbortController();
    const context = { stderr: new PassThrough(), environment: { PATH: process.env.PATH }, signal };
    const given = { flag: '--api-key-command', text: `"${path}"`, context, limitMs: 100 };
    await expect(secretFrom(given)).rejects.toThrow('took longer than 0.1 s');
  });

  it('ends with the command that waits for it', async () => {
    const { path } = await program('waiting', 'echo waiting >&2; sleep 30');
    const stop = new AbortController();
    const stderr = new PassThrough();
    stderr.once('data', () => stop.abort(new Error('stopped')));
    const context = { stderr, environment: { PATH: process.env.PATH }, signal: stop.signal };
    const given = { flag: '--api-key-command', text: `"${path}"`, context };
    await expect(secretFrom(given)).rejects.toThrow('stopped');
    stderr.end();
    await textOf(stderr);
  });
});

describe('the words of a command', () => {
  it.each([
    ['op read op://vault/claude/key', ['op', 'read', 'op://vault/claude/key']],
    [
      `  vault kv get -field='the key' "secret/claude"  `,
      ['vault', 'kv', 'get', '-field=the key', 'secret/claude'],
    ],
    [
      String.raw`C:\tools\op.exe read a\ b \"c\" '\"'`,
      [String.raw`C:\tools\op.exe`, 'read', 'a b', '"c"', String.raw`\"`],
    ],
    [`sh -c "pass show x | head -1; echo \\"$HOME\\""`, ['sh', '-c', 'pass show x | head -1; echo "$HOME"']],
    [`printf '' ""`, ['printf', '', '']],
    ['echo $(id) `id` $HOME * | cat', ['echo', '$(id)', '`id`', '$HOME', '*', '|', 'cat']],
    ['', []],
    [`op 'read`, undefined],
  ])('%j', (text, words) => {
    expect(wordsOf(text)).toEqual(words);
  });

  it('come back from quotes whatever they are', () => {
    const quoted = (word: string) => `"${word.replace(/["\\]/g, '\\$&')}"`;
    fc.assert(
      fc.property(fc.array(fc.string({ unit: 'binary' })), (words) => {
        expect(wordsOf(words.map(quoted).join(' '))).toEqual(words);
      }),
    );
  });
});
