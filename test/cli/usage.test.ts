import { spawn } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runCommandLine } from '../../connectors/cli/command-line.js';
import { commands } from '../../connectors/cli/commands/index.js';
import { type FixtureApi, startFixtureApi } from '../../fixtures/api/index.js';
import { streams, VERSION } from '../../src/index.js';
import { temporaryFolder } from '../run/support/tree.js';
import { COMMAND, ended, environmentOf, run, say } from './command.js';

const KEY = {
  ANTHROPIC_COMPLIANCE_ACCESS_KEY: 'sk-ant-api01-some-key',
  CLAUDE_COMPLIANCE_PROGRESS: 'none',
};

const STREAMS = streams.map(({ name }) => name).join(', ');

/** As `dump --help` and the README's table have them. */
const DEFAULTS = {
  out: './out',
  format: 'parquet',
  'run-date': undefined,
  streams: 'organizations users',
  org: undefined,
  'page-size': '1000',
  'max-list-length': '10000000',
  concurrency: '8',
  'requests-per-minute': '600',
  'budget-share': '0.9',
  'rows-per-file': '500000',
  'on-org-failure': 'stop',
  'max-shrink': '50',
  compression: undefined,
  'csv-formula-guard': undefined,
  'file-mode': '600',
  progress: 'auto',
  json: undefined,
  'dry-run': undefined,
  'back-dated': undefined,
  'allow-empty': undefined,
  force: undefined,
  fresh: undefined,
  layout: 'per-org',
  'base-url': 'https://api.anthropic.com',
  'api-key-file': undefined,
  config: undefined,
};

/** One option's lines in a help text. */
function entryOf(flag: string, help: string): string {
  const lines = help.split('\n');
  const at = lines.findIndex((line) => new RegExp(`^ +(-\\w, )?--${flag} `).test(`${line} `));
  if (at < 0) throw new Error(`--${flag} is not in the help`);
  const after = lines.slice(at + 1);
  const next = after.findIndex((line) => !/^ {12,}/.test(line));
  return [lines[at], ...after.slice(0, next)].join(' ').replace(/\s+/g, ' ');
}

describe('help', () => {
  it('names every command on one page, in a line or two each', async () => {
    const { code, stdout, stderr } = await say(['--help']);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    for (const { name } of commands) expect(stdout).toMatch(new RegExp(`^  ${name} .*[A-Z]`, 'm'));
    expect(stdout.split('\n').length).toBeLessThan(60);
  });

  it.each(Object.entries(DEFAULTS))('of dump shows --%s with its default', async (flag, preset) => {
    const entry = entryOf(flag, (await say(['dump', '--help'])).stdout);
    expect(/\[default: ([^\]]+)\]/.exec(entry)?.[1]).toBe(preset);
  });

  it.each(commands.map(({ name }) => name))(
    'of %s has a sentence for every flag and fits the terminal',
    async (name) => {
      const { stdout } = await say([name, '--help'], { COLUMNS: '80' });
      expect(stdout).toMatch(new RegExp(`^claude-compliance-connector ${name} .*\\[flags\\]\n`));
      const flags = [...stdout.matchAll(/^ +(?:-\w, )?--(\S+)/gm)].map(([, flag]) => flag ?? '');
      expect(flags.length).toBeGreaterThan(2);
      for (const flag of flags) expect(entryOf(flag, stdout)).toMatch(/--\S+ [A-Za-z]\S* \S+/);
      for (const line of stdout.split('\n')) expect(line.length).toBeLessThanOrEqual(80);
    },
  );

  it.each([60, 100, 200])('is as wide as a terminal of %i columns', async (columns) => {
    const stdout = Object.assign(new PassThrough(), { columns });
    const { signal } = new AbortController();
    const context = { stdout, stderr: new PassThrough(), environment: {}, signal };
    expect(await runCommandLine(['dump', '--help'], context)).toBe(0);
    stdout.end();
    const widths = (await text(stdout)).split('\n').map((line) => line.length);
    expect(Math.max(...widths)).toBeLessThanOrEqual(columns);
    expect(Math.max(...widths)).toBeGreaterThan(columns - 20);
  });

  it.each(commands.map(({ name, examples }) => [name, examples] as const))(
    'of %s begins with examples, whose flags and words are right',
    async (name, examples) => {
      const { stdout } = await say([name, '--help'], { COLUMNS: '120' });
      const [summary = '', shown = ''] = stdout.split('\nExamples:\n');
      expect(summary.split('\n')).toHaveLength(4);
      const lines = examples.map((example) => `$ claude-compliance-connector ${example}\n`);
      expect(shown.startsWith(lines.join(''))).toBe(true);
      for (const example of examples) {
        const [words = ''] = example.split(' > ');
        // With one mistake, it is the only one that is reported.
        const { stderr } = await say([...words.split(' '), '--unheard-of'], KEY);
        expect(stderr, example).toMatch(/^error: --unheard-of is not known[^\n]*\n$/);
      }
    },
  );

  it('has no flag that was deleted', async () => {
    for (const flag of ['no-lock', 'lock', 'resume'])
      expect(await say(['dump', `--${flag}`], KEY)).toMatchObject({ code: 2, stdout: '' });
    const { stderr } = await say(['compact', '--run-date', '2026-11-23', '--layout', 'per-org']);
    expect(stderr).toContain('--layout is not known');
  });

  it('does not show a flag for the key', async () => {
    expect((await say(['dump', '--help'])).stdout).not.toMatch(/--api-key\s/);
  });

  it('is there from the built command, and so is the version', async () => {
    for (const word of ['--version', '-v', 'version'])
      expect(await run([word])).toMatchObject({ code: 0, stdout: `${VERSION}\n`, stderr: '' });
  });
});

describe('completion', () => {
  /** What a shell is offered for the last of some words. */
  const offered = async (...words: string[]) =>
    (await say(['--get-yargs-completions', 'claude-compliance-connector', ...words])).stdout
      .trim()
      .split('\n');

  it('offers every command, the flags of one, and the choices of a flag and of a word', async () => {
    expect(await offered('')).toEqual(expect.arrayContaining(commands.map(({ name }) => name)));
    expect(await offered('dump', '--')).toEqual(
      expect.arrayContaining(Object.keys(DEFAULTS).map((flag) => `--${flag}`)),
    );
    expect(await offered('dump', '--layout', '')).toEqual(['per-org', 'per-date']);
    expect(await offered('preview', '')).toEqual(expect.arrayContaining(STREAMS.split(', ')));
  });

  it('prints a script that bash runs', async () => {
    await using bin = await temporaryFolder();
    const program = join(bin.path, 'claude-compliance-connector');
    await writeFile(program, `#!/bin/sh\nexec "${process.execPath}" "${COMMAND}" "$@"\n`, { mode: 0o755 });
    const lines = [
      'eval "$(claude-compliance-connector completion)"',
      'COMP_WORDS=(claude-compliance-connector dump --lay)',
      'COMP_CWORD=2',
      '_claude-compliance-connector_yargs_completions',
      'printf "%s\\n" "$COMPREPLY"', // the first of them
    ];
    const { stdout } = await ended(
      spawn('bash', ['-c', lines.join('\n')], {
        env: { PATH: `${bin.path}:${process.env.PATH}`, SHELL: '/bin/bash' },
      }),
    );
    expect(stdout).toBe('--layout\n');
  });
});

describe('a mistake', () => {
  it.each([
    [[], 'Missing command. Available: dump, check'],
    [['dmp'], 'Unknown command: did you mean dump?'],
    [['sk-ant-api01-pasted'], 'Unknown command. Available: dump, check'],
    [['dump', 'stray'], 'dump takes no more words'],
    [['dump', '--out'], 'Missing value for --out.'],
    [['preview'], `Missing <stream>. One of: ${STREAMS}.`],
    [['load'], 'Missing <target>. One of: duckdb, '],
    [['reidentify'], 'Missing <column>.'],
    [['schema'], `Missing <table>. One of: ${STREAMS}, effective_access.`],
    [['preview', 'organisations'], `<stream> must be one of ${STREAMS}: did you mean organizations?`],
    [['dump', '--formt', 'csv'], '--formt is not known: did you mean --format?'],
    [
      ['dump', '--format', 'cvs'],
      '--format (value 1) must be one of parquet, ndjson, csv, arrow: did you mean csv?',
    ],
    [['dump', '-x'], '-x is not known.'],
    [['dump', '--out', 'a', '--out', 'b'], '--out may be given only once.'],
    [['dump', '--page-size', '1001'], '--page-size must be at most 1000.'],
    [['dump', '--page-size', '1.5'], '--page-size must be a whole number.'],
    [['dump', '--concurrency', 'many'], '--concurrency must be a number.'],
    [['dump', '--run-date', 'tomorrow'], '--run-date must be a day of the calendar, such as 2026-11-23.'],
    [['dump', '--run-date', '2026-02-30'], '--run-date must be a day of the calendar'],
    [['dump', '--file-mode', '888'], '--file-mode must be an octal mode such as 640.'],
    [['dump', '--org', 'acme'], '--org (value 1) must be a UUID.'],
    [['dump', '--dry-run=1'], '--dry-run takes no value.'],
    [['dump', '--base-url', 'api.anthropic.com'], '--base-url must be an address such as'],
    [['dump', '--compression', 'lzo'], 'The format parquet has no compression "lzo"'],
    [['dump', '--compression', 'csv=gzip'], '--compression names csv, which --format does not.'],
    [
      ['dump', '--out', '-'],
      `--out - takes one table as text: give one of --streams ${STREAMS}, and one of --format`,
    ],
    [['verify', '--expect', '7:abc'], 'A head of the log looks like 42:<64 hexadecimal digits>'],
    [['schema', 'users', '--as', 'sql'], '--as must be one of json-schema, arrow, ddl'],
  ])('in %j is one sentence, with exit code 2', async (args, sentence) => {
    const { code, stdout, stderr } = await say(args, KEY);
    expect(stderr).toContain(sentence);
    expect(stderr).toMatch(/^error: .*\[\w+\]\n$/s);
    expect(stderr).not.toMatch(/\n\s+at |zod|Invalid input|pasted/i);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
  });

  it('does not hide the others: all are reported at once', async () => {
    const { stderr } = await say(['dump', '--formt', 'csv', '--page-size', '0', '--org', 'acme']);
    expect(stderr).toContain('There are 4 mistakes.');
    for (const said of ['--formt', 'The key is missing', '--page-size', '--org'])
      expect(stderr).toContain(said);
  });

  it('with a key as a flag says where keys belong, without repeating it', async () => {
    const { code, stderr } = await say(['check', '--api-key', 'sk-ant-api01-secret']);
    expect(code).toBe(2);
    expect(stderr).toContain('--api-key is not known: the key comes from ANTHROPIC_COMPLIANCE_ACCESS_KEY');
    expect(stderr).not.toContain('secret');
  });

  it('in the key itself is reported without repeating it', async () => {
    const { code, stderr } = await say(['check'], { ANTHROPIC_COMPLIANCE_ACCESS_KEY: 'two words-secret' });
    expect(code).toBe(2);
    expect(stderr).toContain('The key must be one line');
    expect(stderr).not.toContain('secret');
  });
});

describe('settings', () => {
  let api: FixtureApi;
  let folder: Awaited<ReturnType<typeof temporaryFolder>>;
  beforeAll(async () => {
    api = await startFixtureApi({ sizes: [1, 1] });
    folder = await temporaryFolder();
  });
  afterAll(async () => {
    await api.close();
    await folder[Symbol.asyncDispose]();
  });
  const write = async (name: string, content: unknown): Promise<string> => {
    const path = join(folder.path, name);
    await writeFile(path, typeof content === 'string' ? content : JSON.stringify(content));
    return path;
  };
  /** Nothing answers there. */
  const NOWHERE = 'http://127.0.0.1:1';
  const once = ['--max-retries', '0'];

  it('of a file are valid for every command that has them, with - or _, one value or a list', async () => {
    const config = await write('all.json', {
      'base-url': api.url,
      max_retries: 0,
      format: 'csv',
      out: '-',
      streams: ['organizations'],
      'run-date': '2026-11-23',
      back_dated: true,
    });
    const environment = { ANTHROPIC_COMPLIANCE_ACCESS_KEY: api.key };
    expect(await say(['check', '--config', config], environment)).toMatchObject({ code: 0 });
    const { stdout } = await say(['dump', '--progress', 'none', '--config', config], environment);
    expect(stdout.split('\r\n')[0]).toBe('uuid,name,created_at,snapshot_date,extra');
    expect(stdout.trim().split('\r\n')).toHaveLength(3);
  });

  it('of a file lose against the environment, and that against flags', async () => {
    const config = await write('nowhere.json', { base_url: NOWHERE });
    expect(await say(['check', ...once, '--config', config], { ...KEY })).toMatchObject({ code: 75 });
    const environment = environmentOf(api);
    expect(await say(['check', ...once, '--config', config], environment)).toMatchObject({ code: 0 });
    expect(await say(['check', ...once, '--base-url', NOWHERE], environment)).toMatchObject({ code: 75 });
  });

  it('of the environment: one variable for each flag, with numbers, lists, and true or false', async () => {
    const environment = environmentOf(api, {
      CLAUDE_COMPLIANCE_STREAMS: 'organizations, users',
      CLAUDE_COMPLIANCE_FORMAT: 'csv',
      CLAUDE_COMPLIANCE_OUT: '-',
      CLAUDE_COMPLIANCE_PROGRESS: 'none',
      CLAUDE_COMPLIANCE_PAGE_SIZE: '7',
      CLAUDE_COMPLIANCE_KEEP_DAYS: '30', // of another command
      CLAUDE_COMPLIANCE_RUN_DATE: '',
      CLAUDE_COMPLIANCE_TENANTS: '/etc/claude-compliance-connector', // of the Airflow DAG
    });
    const before = api.requests.length;
    const { code, stdout } = await say(['dump', '--streams', 'organizations'], environment);
    expect({ code, lines: stdout.split('\r\n')[0] }).toEqual({
      code: 0,
      lines: 'uuid,name,created_at,snapshot_date,extra',
    });
    expect(api.requests.length).toBe(before + 1);
    const plan = await say(['dump'], { ...environment, CLAUDE_COMPLIANCE_DRY_RUN: 'true' });
    expect(plan.stdout).toContain('users');
  });

  it('of the environment that are wrong or not known are reported by their variable', async () => {
    const { code, stderr } = await say(['check'], {
      ...KEY,
      CLAUDE_COMPLIANCE_PAGE_SIZE: 'many',
      CLAUDE_COMPLIANCE_DEADLNE: '5',
      CLAUDE_COMPLIANCE_API_KEY: 'sk-ant-api01-secret',
    });
    expect(code).toBe(2);
    expect(stderr).toContain('CLAUDE_COMPLIANCE_PAGE_SIZE must be a number');
    expect(stderr).toContain(
      'The variable CLAUDE_COMPLIANCE_DEADLNE is not known: did you mean CLAUDE_COMPLIANCE_DEADLINE?',
    );
    expect(stderr).toContain('The variable CLAUDE_COMPLIANCE_API_KEY is not known: the key comes from');
    expect(stderr).not.toContain('secret');
  });

  it('of a file that a variable names', async () => {
    const config = await write('nowhere.json', { base_url: NOWHERE });
    const environment = { ...KEY, CLAUDE_COMPLIANCE_CONFIG: config };
    expect(await say(['check', ...once], environment)).toMatchObject({ code: 75 });
  });

  it('of a file that are not known are reported with the nearest name', async () => {
    const config = await write('typo.json', { pagesize: 5, 'api-key': 'sk-ant-api01-secret' });
    const { code, stderr } = await say(['check', '--config', config], KEY);
    expect(code).toBe(2);
    expect(stderr).toContain(`"pagesize" in ${config} is not known: did you mean "page-size"`);
    expect(stderr).toContain(`"api-key" in ${config} is not known: the key comes from`);
    expect(stderr).not.toContain('secret');
  });

  it.each([
    ['not JSON', '{"out": "o5", secret:'],
    ['no object', '[1]'],
    ['absent', undefined],
  ])('of a file that is %s are refused without quoting it', async (name, content) => {
    const config =
      content === undefined ? join(folder.path, 'absent.json') : await write(`${name}.json`, content);
    const { code, stderr } = await say(['check', '--config', config], KEY);
    expect(code).toBe(2);
    expect(stderr).toContain(`--config ${config} cannot be read as YAML or JSON`);
    expect(stderr).not.toContain('secret');
  });

  it('take the key from either variable, or from a file that a flag names', async () => {
    const keyFile = await write('key', `${api.key}\n`);
    const wrong = await write('wrong', 'sk-ant-api01-wrong');
    const config = await write('key.json', { 'api-key-file': wrong });
    const address = ['--base-url', api.url, ...once];
    const first = { ANTHROPIC_COMPLIANCE_ACCESS_KEY: api.key };
    const second = { ANTHROPIC_COMPLIANCE_API_KEY: api.key };
    const codes = [
      await say(['check', ...address], first),
      await say(['check', ...address], second),
      await say(['check', ...address], { ...second, ANTHROPIC_COMPLIANCE_ACCESS_KEY: 'sk-ant-api01-wrong' }),
      await say(['check', ...address, '--api-key-file', keyFile]),
      await say(['check', ...address, '--api-key-file', wrong], first),
      await say(['check', ...address, '--config', config], first),
      await say(['check', ...address, '--config', config]),
      await say(['check', ...address, '--api-key-file', join(folder.path, 'absent')]),
    ].map(({ code }) => code);
    expect(codes).toEqual([0, 0, 2, 0, 2, 0, 2, 2]);
  });
});
