import { chmod, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { text } from 'node:stream/consumers';
import { describe, expect, it } from 'vitest';
import { runSource } from '../../connectors/airbyte/source.js';
import { startFixtureApi } from '../../fixtures/api/index.js';
import { systemClock } from '../../src/index.js';
import { RUN_DATE, take, temporaryFolder } from '../run/support/tree.js';
import { changeJson, forgeManifest } from '../upkeep/support/tamper.js';
import { environmentOf, say } from './command.js';

describe('an API that contradicts itself', () => {
  it('is shown in the summary: a record that was served again with other values', async () => {
    await using api = await startFixtureApi({ sizes: [150] });
    await using root = await temporaryFolder();
    api.repeat(String(api.organizations()[0]?.uuid), 42);
    api.fault({
      match: { list: 'users', page: 1 },
      do: {
        type: 'envelope',
        change({ data, ...page }) {
          const [first, ...rest] = data as object[];
          return { ...page, data: [{ ...first, full_name: 'Somebody Else' }, ...rest] };
        },
      },
    });
    const dump = ['dump', '--out', root.path, '--page-size', '100', '--requests-per-minute', '0'];
    const { code, stdout, stderr } = await say(dump, environmentOf(api));
    expect([code, stderr]).toEqual([0, expect.any(String)]);
    expect(`${stdout}${stderr}`).toContain(
      '  CONTRADICTION: 1 record served again with other values; the first ones are kept\n',
    );
    expect(`${stdout}${stderr}`).not.toContain('Somebody Else');
  });
});

describe('a first dump that lists no organisation', () => {
  it('ends with exit code 1 and publishes nothing, unless --allow-empty says that it is right', async () => {
    await using api = await startFixtureApi({ sizes: [] });
    await using root = await temporaryFolder();
    const dump = ['dump', '--out', root.path, '--requests-per-minute', '0'];
    const { code, stderr } = await say(dump, environmentOf(api));
    expect(code).toBe(1);
    expect(stderr).toContain('error: The API listed no organisation at all, so nothing was published.');
    expect(stderr).toContain('--allow-empty. [empty_refused]');
    expect(await say(['verify', '--out', root.path])).toMatchObject({ code: 2 });
    expect(await say([...dump, '--allow-empty'], environmentOf(api))).toMatchObject({ code: 0 });
    expect(await say(['verify', '--out', root.path])).toMatchObject({ code: 0 });
  });
});

describe('the variables of a proxy', () => {
  it('that make no sense are a mistake of the configuration, and are not repeated', async () => {
    const key = { ANTHROPIC_COMPLIANCE_ACCESS_KEY: 'sk-ant-api01-x', HTTPS_PROXY: 'clerk:sec/ret@proxy:1' };
    const { code, stdout, stderr } = await say(['check'], key);
    expect([code, stdout]).toEqual([2, '']);
    expect(stderr).toMatch(
      /^error: The address of the proxy \(HTTPS_PROXY\) is not usable\..*\[proxy_invalid\]\n$/,
    );
    expect(stderr).not.toContain('ret@');
  });
});

describe('a key in the wrong place', () => {
  const KEY = 'sk-ant-api01-Zm9yIGEgdGVzdCBvbmx5-4711';
  const known = {
    ANTHROPIC_COMPLIANCE_ACCESS_KEY: 'sk-ant-api01-another-key-of-this-test',
    CLAUDE_COMPLIANCE_PROGRESS: 'none',
  };

  it.each([
    ['--api-key-file', ['check', '--api-key-file', KEY]],
    ['--api-key-file', ['check', `--api-key-file=${KEY}`]],
    ['--config', ['check', '--config', KEY]],
    ['--out', ['dump', '--out', KEY]],
    ['--state', ['dump', '--state', KEY]],
    ['--base-url', ['check', '--base-url', KEY]],
    ['--org', ['dump', '--org', 'a', KEY]],
    ['<stream>', ['preview', KEY]],
  ])('is refused as the value of %s, and not repeated', async (name, args) => {
    const { code, stdout, stderr } = await say(args, known);
    expect([code, stdout]).toEqual([2, '']);
    expect(stderr).toContain(`error: ${name} has a key as its value.`);
    expect(stderr).toContain('[key_misplaced]');
    expect(stderr).not.toContain('Zm9yI');
  });

  it.each([
    ['a flag', ['check', `--${KEY}`]],
    ['a flag with a value', ['check', `--${KEY}=1`]],
    ['a negated flag', ['check', `--no-${KEY}`]],
    ['a short flag', ['check', `-${KEY}`]],
    ['a command', [KEY]],
    ['a word after a command', ['check', KEY]],
    ['a part of the name of a key file', ['check', '--api-key-file', `/etc/keys/${KEY}.txt`]],
    ['a part of the name of a configuration file', ['check', '--config', `${KEY}.json`]],
    ['a part of a bucket', ['verify', '--out', `s3s://${KEY}/x`]],
    ['a part of a folder', ['verify', '--out', `/nowhere/${KEY}/x`]],
    ['a storage option', ['verify', '--out', 's3://b', '--storage-option', `${KEY}=1`]],
    ['a compression', ['dump', '--compression', `x-${KEY}`]],
    ['a log head', ['verify', '--expect', `1:${KEY}`]],
  ])('is not repeated as %s', async (_, args) => {
    const { code, stdout, stderr } = await say(args, known);
    expect(code).toBe(2);
    expect(`${stdout}${stderr}`).not.toContain('Zm9yI');
    expect(stderr).toMatch(/^error: /);
  });

  it('is not repeated in a file of flags, as a name or as a value', async () => {
    await using folder = await temporaryFolder();
    const config = join(folder.path, 'config.json');
    for (const flags of [{ [KEY]: 1 }, { out: KEY }, { 'api-key-file': KEY }, { streams: [KEY] }]) {
      await writeFile(config, JSON.stringify(flags));
      const { code, stderr } = await say(['dump', '--config', config], known);
      expect(code).toBe(2);
      expect(stderr).not.toContain('Zm9yI');
    }
    expect(await readdir(folder.path)).toEqual(['config.json']);
  });

  it('is not repeated by the Airbyte source', async () => {
    for (const args of [
      ['check', '--config', KEY],
      [KEY],
      ['check', `--${KEY}`],
      ['check', '--config', 'x', KEY],
    ]) {
      const stdout = new PassThrough();
      const { signal } = new AbortController();
      const context = { stdout, environment: {}, signal, clock: systemClock };
      const [, messages] = await Promise.all([
        runSource(args, context).finally(() => stdout.end()),
        text(stdout),
      ]);
      expect(messages).toMatch(/"type":"(TRACE|CONNECTION_STATUS)"/);
      expect(messages).not.toContain('Zm9yI');
    }
  });

  it('has a name for a file that is like it, which is read', async () => {
    await using api = await startFixtureApi({ sizes: [1] });
    await using folder = await temporaryFolder();
    const file = join(folder.path, 'sk-ant-api01-backup.key');
    await writeFile(file, api.key, { mode: 0o600 });
    const { code } = await say(['check', '--base-url', api.url, '--api-key-file', file]);
    expect(code).toBe(0);
  });
});

describe('a root that somebody else wrote', () => {
  const ESCAPES = 'x\u001b[2J\u001b]0;owned\u0007\u009b1A\u202e\n  OK: every file matches';
  // biome-ignore lint/suspicious/noControlCharactersInRegex: that is what is looked for
  const MOVES_THE_CURSOR = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202a-\u202e]/;

  it('has its run ids, columns and names of files printed by verify as what they are, on one line each', async () => {
    await using api = await startFixtureApi({ sizes: [2] });
    await using root = await temporaryFolder();
    await take(api, root.path);
    await forgeManifest(root.path, (manifest) => {
      manifest.run_id = ESCAPES;
      for (const table of Object.values(manifest.tables)) table.columns = [ESCAPES];
    });
    await writeFile(
      join(root.path, `organizations/run_date=${RUN_DATE}`, `part-${ESCAPES.replace('/', '')}`),
      '',
    );
    const { code, stdout, stderr } = await say(['verify', '--out', root.path]);
    expect([code, stderr]).toEqual([1, '']);
    expect(stdout).not.toMatch(MOVES_THE_CURSOR);
    expect(stdout).toContain('run x·[2J·]0;owned··1A··  OK: every file matches');
    expect(stdout).not.toMatch(/^ *OK: /m);
  });

  it('cannot move the cursor by an error either', async () => {
    await using api = await startFixtureApi({ sizes: [2] });
    await using root = await temporaryFolder();
    await take(api, root.path);
    await changeJson(join(root.path, '_runs/log/00000001.json'), (entry: Record<string, unknown>) => {
      entry.run_id = ESCAPES.replaceAll('\n', '');
    });
    const { code, stderr } = await say(['access', '--out', root.path]);
    expect(code).not.toBe(0);
    expect(stderr).toContain('x·[2J·]0;owned');
    expect(stderr).not.toMatch(MOVES_THE_CURSOR);
  });
});

describe.skipIf(process.platform === 'win32')('a key file', () => {
  it.each([
    [0o644, true],
    [0o640, true],
    [0o604, true],
    [0o600, false],
    [0o400, false],
    [0o611, false],
  ])('of mode %o is read, and others that can read it are warned of: %s', async (mode, isWarning) => {
    await using api = await startFixtureApi({ sizes: [1] });
    await using folder = await temporaryFolder();
    const file = join(folder.path, 'key');
    await writeFile(file, `${api.key}\n`);
    await chmod(file, mode);
    const { code, stderr } = await say(['check', '--base-url', api.url, '--api-key-file', file]);
    const warning = `warning: Others than its owner can read the file of --api-key-file (its mode is ${mode.toString(8)}): chmod 600 ${file}\n`;
    expect([code, stderr]).toEqual([0, isWarning ? warning : '']);
  });
});
