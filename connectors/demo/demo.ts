import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, relative, resolve } from 'node:path';
import process from 'node:process';
import { z } from 'zod';
import { startFixtureApi } from '../../fixtures/api/index.js';
import { type Context, command } from '../kit/command.js';
import { tableText } from '../kit/table.js';

/** The command line, as it is built: each command of the demo is a process of its own, as it would be for a person. */
const MAIN = resolve(import.meta.dirname, '../cli/main.js');

/** What the answer shows of each row, and which rows: those of a role in the organisation that has it, and of orphans. */
const COLUMNS = ['email', 'membership', 'group_name', 'role_name', 'action'] as const;
const MEMBERSHIPS = ['member', 'none'];

/** The root, in the folder of the demo. */
const LAKE = 'lake';

/**
 * The main job on an API of its own: a snapshot of everything that 25 organisations with 20,000 made-up users have, then the
 * files, their verification, and who may do what.
 */
export const demo = command({
  settings: z.object({
    out: z
      .string()
      .min(1)
      .optional()
      .describe('Keep what it writes in this folder. Default: a temporary one, which is removed.'),
  }),
  async run({ out }, context) {
    // Everything is in one folder; the commands run in it, so that their paths are short.
    const folder =
      out === undefined ? await mkdtemp(join(tmpdir(), 'claude-compliance-demo-')) : resolve(out);
    await mkdir(folder, { recursive: true });
    const api = await startFixtureApi(DIRECTORY);
    const { url, key } = api;
    const environment = {
      ...context.environment,
      ANTHROPIC_COMPLIANCE_BASE_URL: url,
      ANTHROPIC_COMPLIANCE_ACCESS_KEY: key,
    };
    try {
      return await tell({ folder, environment, context });
    } catch (error) {
      if (error instanceof Ended) return error.exitCode;
      throw error;
    } finally {
      await api.close();
      if (out === undefined) await rm(folder, { recursive: true });
    }
  },
});

const DIRECTORY = { seed: 7, organizations: 25, users: 20_000, groups: 40, members: 60, latency: 20 };

interface Stage {
  folder: string;
  environment: NodeJS.ProcessEnv;
  context: Context;
}

/** A command of the demo ended with another exit code than 0, and has said why. */
class Ended extends Error {
  constructor(readonly exitCode: number) {
    super(`exit code ${exitCode}`);
  }
}

async function tell(stage: Stage): Promise<number> {
  const { folder, context } = stage;
  const say = (line: string) => context.stdout.write(`${line}\n`);
  // A bar is of no use in a log.
  const progress = context.stderr.isTTY ? 'bar' : 'none';
  const unpaced = ['--requests-per-minute', '0', '--progress', progress];
  await run(stage, 'dump', '--out', LAKE, '--streams', 'all', ...unpaced);
  say('\nThe files:');
  for (const line of await listed(join(folder, LAKE))) say(line);
  say('');
  await run(stage, 'verify', '--out', LAKE);
  say('\nWho may do everything of a kind, and by which group and role?');
  const duckdb = await import('@duckdb/node-api').catch(() => undefined); // an optional dependency
  if (duckdb) await askWarehouse(stage, duckdb);
  else await askCommand(stage);
  return 0;
}

async function run({ folder, environment, context }: Stage, ...args: string[]): Promise<void> {
  context.stdout.write(`$ claude-compliance-connector ${args.join(' ')}\n`);
  const child = spawn(process.execPath, [MAIN, ...args], { cwd: folder, stdio: 'inherit', env: environment });
  const [exitCode] = await once(child, 'exit');
  context.signal.throwIfAborted();
  if (exitCode !== 0) throw new Ended(exitCode ?? 1);
}

/** The first file of each folder of a root, and how many more are like it. */
async function listed(root: string): Promise<string[]> {
  const paths = (await readdir(root, { recursive: true, withFileTypes: true }))
    .filter((entry) => entry.isFile())
    .map((entry) => relative(root, join(entry.parentPath, entry.name)))
    .sort();
  const folders = new Set(paths.map((path) => path.split('/')[0]));
  return [...folders].map((name) => {
    const [first, ...more] = paths.filter((path) => path.startsWith(`${name}/`));
    const short = first?.replace(/(=\w{4,14})[\w-]{10,}/g, '$1…'); // ids are long
    return `  ${short}${more.length > 0 ? `, and ${more.length} more` : ''}`;
  });
}

/** The question to the view of a warehouse. */
async function askWarehouse(
  stage: Stage,
  { DuckDBInstance }: typeof import('@duckdb/node-api'),
): Promise<void> {
  const database = 'demo.duckdb';
  await run(stage, 'load', 'duckdb', '--from', LAKE, '--database', database);
  const memberships = MEMBERSHIPS.map((membership) => `'${membership}'`).join(', ');
  const sql = `SELECT ${COLUMNS.join(', ')} FROM effective_access_current
WHERE is_blanket AND membership IN (${memberships}) ORDER BY ALL`;
  stage.context.stdout.write(`\n${sql};\n`);
  const instance = await DuckDBInstance.create(join(stage.folder, database));
  const connection = await instance.connect();
  show(stage, (await connection.runAndReadAll(sql)).getRowObjectsJS());
  connection.closeSync();
  instance.closeSync();
}

/** The question to the command, which needs no database. */
async function askCommand(stage: Stage): Promise<void> {
  const to = 'access.ndjson';
  await run(stage, 'access', '--out', LAKE, '--only', 'blanket', '--output', to, '--overwrite');
  const lines = (await readFile(join(stage.folder, to), 'utf8')).trim().split('\n');
  const rows = lines.map((line) => JSON.parse(line) as Record<string, unknown>);
  show(
    stage,
    rows.filter(({ membership }) => MEMBERSHIPS.includes(`${membership}`)),
  );
}

const show = ({ context: { stdout } }: Stage, rows: readonly Record<string, unknown>[]) =>
  stdout.write(
    `${tableText({
      columns: COLUMNS.map((name) => ({ name })),
      rows: rows.map((row) => COLUMNS.map((name) => `${row[name] ?? ''}`)),
      width: stdout.columns,
      borders: true,
    })}\n`,
  );
