import { execFile } from 'node:child_process';
import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { DuckDBInstance } from '@duckdb/node-api';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { dumpSettings } from '../connectors/cli/commands/dump-settings.js';
import { commands } from '../connectors/cli/commands/index.js';
import { flagName, flagSchemas } from '../connectors/kit/options.js';
import { SECRETS } from '../connectors/kit/secrets.js';
import { type FixtureApi, startFixtureApi } from '../fixtures/api/index.js';

const ROOT = resolve(import.meta.dirname, '..');
const run = promisify(execFile);
/** The pages whose commands follow each other, in one folder. */
const PAGES = ['README.md', 'docs/snapshot.md', 'docs/running.md', 'docs/library.md'];
/** They were written on this day; in these tests they are written today. */
const WRITTEN_ON = '2026-11-23';
const TODAY = new Date().toISOString().slice(0, 10);
const texts = await Promise.all(
  PAGES.map(async (path) => (await readFile(join(ROOT, path), 'utf8')).replaceAll(WRITTEN_ON, TODAY)),
);
const [readme = '', , running = ''] = texts;

interface Block {
  language: string;
  code: string;
  /** What the README says that it prints. */
  output: string | undefined;
}

const blocks: Block[] = [
  ...texts.join('\n').matchAll(/```(\w+)\n([\s\S]*?)```(?:\n```text\n([\s\S]*?)```)?/g),
].map(([, language = '', code = '', output]) => ({ language, code, output }));
const inLanguage = (language: string) => blocks.filter((block) => block.language === language);

let api: FixtureApi;
let folder: string;
let environment: NodeJS.ProcessEnv;

beforeAll(async () => {
  api = await startFixtureApi({ organizations: 25, users: 20_000 });
  folder = await mkdtemp(join(tmpdir(), 'readme-'));
  // `npx claude-compliance-connector` as it is in a checkout, from any folder; that npx finds it is shown by test:package.
  const bin = join(folder, 'bin');
  await mkdir(bin);
  await writeFile(
    join(bin, 'npx'),
    `#!/bin/sh\nshift\nexec "${process.execPath}" "${ROOT}/dist/connectors/cli/main.js" "$@"\n`,
  );
  await chmod(join(bin, 'npx'), 0o755);
  environment = {
    ...process.env,
    PATH: `${bin}:${process.env.PATH}`,
    ANTHROPIC_COMPLIANCE_ACCESS_KEY: api.key,
    ANTHROPIC_COMPLIANCE_BASE_URL: api.url,
    CLAUDE_COMPLIANCE_REQUESTS_PER_MINUTE: '0', // the budget of the real API would let the tests wait
  };
});

afterAll(async () => {
  await api.close();
  await rm(folder, { recursive: true, force: true });
});

/** The README's output as a pattern: `…` matches anything within a line. */
const patternOf = (output: string): RegExp =>
  new RegExp(
    `^${output
      .trim()
      .split('…')
      .map((text) => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'))
      .join('.*')}$`,
  );

/** The file that the access of a snapshot is written to. */
const ACCESS = 'access.parquet';

async function queried(sql: string): Promise<Record<string, unknown>[]> {
  const instance = await DuckDBInstance.create(':memory:');
  const connection = await instance.connect();
  try {
    return (await connection.runAndReadAll(sql)).getRowObjectsJS();
  } finally {
    connection.closeSync();
    instance.closeSync();
  }
}

describe('the README and the pages that go on from it', () => {
  it('is read in ten minutes', () => {
    expect(readme.split(/\s+/).length).toBeLessThan(1500);
  });

  it('shows the two commands that do everything', () => {
    const shown = inLanguage('console').map(({ code }) => code.trim());
    expect(shown).toEqual(expect.arrayContaining(['npm ci && npm run demo', 'npm ci && npm test']));
  });

  it.each(inLanguage('sh').map((block) => [block.code.trim(), block] as const))(
    '%s',
    async (_, { code, output }) => {
      const { stdout } = await run('sh', ['-ec', code], { cwd: folder, env: environment });
      if (output !== undefined) expect(stdout.trim()).toMatch(patternOf(output));
    },
  );

  it('answers who may do everything in one query', async () => {
    const [query = ''] = inLanguage('sql').flatMap(({ code }) => (code.includes(ACCESS) ? code : []));
    const rows = await queried(query.replace(ACCESS, `${folder}/${ACCESS}`));
    const blanket = [...api.records('groups')].filter(({ name }) => name === 'Everyone');
    const members = blanket.flatMap(({ id }) => [...api.records('group_members', String(id))]);
    expect(new Set(rows.map(({ email }) => email))).toEqual(new Set(members.map(({ email }) => email)));
    expect(new Set(rows.map(({ action }) => action))).toEqual(new Set(['capability_access_all']));
  });

  it.each(
    inLanguage('sql')
      .filter(({ code }) => !code.includes(ACCESS))
      .map(({ code }, index) => [index, code] as const),
  )(
    'SQL example %i gives every user, of a day that was compacted and of one that was not',
    async (_, sql) => {
      const fresh = ['dump', '--out', './per-org', '--progress', 'none'];
      await run('npx', ['claude-compliance-connector', ...fresh], { cwd: folder, env: environment });
      const instance = await DuckDBInstance.create(':memory:');
      const connection = await instance.connect();
      for (const root of ['lake', 'per-org']) {
        const absolute = sql.replaceAll("'lake/", `'${folder}/${root}/`);
        const statements = absolute.split(';\n').filter((statement) => statement.trim() !== '');
        const query = statements.pop() ?? '';
        for (const statement of statements) await connection.run(statement);
        const rows = (await connection.runAndReadAll(query)).getRowObjects();
        expect(rows.reduce((sum, row) => sum + Number(row.members), 0)).toBe(20_000);
      }
      connection.closeSync();
      instance.closeSync();
    },
  );

  it.each(inLanguage('js').map(({ code }, index) => [index, code] as const))(
    'JavaScript example %i runs on this Node, as it is',
    async (index, code) => {
      const home = join(ROOT, '.cache', 'readme');
      await mkdir(home, { recursive: true });
      const file = join(home, `example-${index}.mjs`);
      await writeFile(file, code);
      const { stdout } = await run(process.execPath, [file], { cwd: folder, env: environment });
      if (index === 0) {
        const lines = (await readFile(join(folder, 'users.ndjson'), 'utf8')).trim().split('\n');
        const uuid = String(api.organizations()[0]?.uuid);
        expect(lines.map((line) => JSON.parse(line).id)).toEqual([...api.users(uuid)].map(({ id }) => id));
      } else {
        expect(stdout.trim()).toBe('complete 20000');
      }
    },
  );

  it('shows a stream as it is in src/streams', async () => {
    const [shown, ...others] = inLanguage('typescript');
    expect(others).toEqual([]);
    expect(shown?.code).toContain("name: 'roles'");
    expect(await readFile(join(ROOT, 'src/streams/roles.ts'), 'utf8')).toContain(shown?.code);
  });

  it('has every command, and every flag of dump with its default', () => {
    for (const { name } of commands) expect(readme).toContain(`| \`${name}`);
    expect(running).toContain(flagTable());
  });
});

/** The table of flags as the documentation has it. */
function flagTable(): string {
  const rows = [...flagSchemas(dumpSettings)]
    .filter(([key]) => !(key in SECRETS))
    .map(([key, { description = '', default: preset }]) => {
      const shown = preset === undefined || preset === false ? '' : `\`${[preset].flat().join(' ')}\``;
      return `| \`--${flagName(key)}\` | ${shown} | ${description.replaceAll('|', '\\|')} |`;
    });
  return ['| flag | default | |', '|---|---|---|', ...rows].join('\n');
}
