import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chmod, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { DuckDBInstance } from '@duckdb/node-api';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type FixtureApi, startFixtureApi } from '../fixtures/api/index.js';
import { EXTRA, streams } from '../src/index.js';
import { userColumn } from '../src/streams/stream.js';
import { environmentOf, say } from './cli/command.js';
import { temporaryFolder } from './run/support/tree.js';
import { ROOT } from './source-files.js';

const text = await readFile(join(ROOT, 'docs/erase.md'), 'utf8');
const blocks = [...text.matchAll(/```sh\n(.*)\n```\n```text\n([\s\S]*?)```/g)];

/** Text of the documentation as a pattern: `…` and every number match what they are in another run. */
const patternOf = (output: string): RegExp =>
  new RegExp(
    `^${output
      .replaceAll(/[\\^$.*+?()[\]{}|]/g, '\\$&')
      .replaceAll('…', '[^\\n]*')
      .replaceAll('complete, ', 'complete[^\\n]*, ') // filed under another day, in this test
      .replaceAll(/(?<= )\d[\d,]*(?= (?:files|rows|users|group_members))/g, '[\\d,]+')}$`,
  );

let api: FixtureApi;
let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let user: string;
let environment: NodeJS.ProcessEnv;
beforeAll(async () => {
  api = await startFixtureApi({ sizes: [30, 12], groups: 3, members: 30 });
  folder = await temporaryFolder();
  environment = environmentOf(api, { CLAUDE_COMPLIANCE_REQUESTS_PER_MINUTE: '0' });
  for (const date of ['2026-11-20', '2026-11-21']) {
    const flags = [
      '--out',
      join(folder.path, 'lake'),
      '--back-dated',
      '--run-date',
      date,
      '--streams',
      'all',
      '--progress',
      'none',
    ];
    expect((await say(['dump', ...flags], environment)).code).toBe(0);
  }
  const members = [...api.records('groups')].flatMap(({ id }) => [
    ...api.records('group_members', String(id)),
  ]);
  const users = api.organizations().flatMap(({ uuid }) => [...api.users(String(uuid))]);
  const keys = [...api.records('api_keys')];
  const isEverywhere = (id: unknown) =>
    members.some(({ user_id }) => user_id === id) && keys.some((key) => key.created_by_id === id);
  user = String(users.find(({ id }) => isEverywhere(id))?.id);
  const bin = join(folder.path, 'bin');
  await mkdir(bin);
  const command = join(ROOT, 'dist/connectors/cli/main.js');
  await writeFile(join(bin, 'npx'), `#!/bin/sh\nshift\nexec "${process.execPath}" "${command}" "$@"\n`);
  await chmod(join(bin, 'npx'), 0o755);
  environment.PATH = `${bin}:${environment.PATH}`;
}, 60_000);
afterAll(async () => {
  await api.close();
  await folder[Symbol.asyncDispose]();
});

describe('docs/erase.md', () => {
  it('shows what the commands print, and SQL that removes the same rows from a warehouse', async () => {
    const database = join(folder.path, 'warehouse.duckdb');
    for (const date of ['2026-11-20', '2026-11-21']) {
      const flags = ['--from', join(folder.path, 'lake'), '--run-date', date, '--database', database];
      expect((await say(['load', 'duckdb', ...flags], environment)).code).toBe(0);
    }
    expect(blocks).toHaveLength(3);
    for (const [, command = '', output = ''] of blocks) {
      const line = command.replace('user_01…', user);
      const { stdout } = await promisify(execFile)('sh', ['-c', line], {
        cwd: folder.path,
        env: environment,
      });
      expect(stdout).toMatch(patternOf(output));
    }
    const instance = await DuckDBInstance.create(database);
    const connection = await instance.connect();
    const [, sql = ''] = /```sql\n([\s\S]*?)```/.exec(text) ?? [];
    await connection.run(sql.replaceAll('user_01…', user));
    const lake = join(folder.path, 'lake');
    for (const { name, schema } of streams.filter((stream) => userColumn(stream))) {
      const columns = schema.fields.map((field) => field.name).filter((column) => column !== EXTRA.name);
      const rowsIn = async (from: string) =>
        (await connection.runAndReadAll(`SELECT ${columns} FROM ${from} ORDER BY ALL`)).getRowsJson();
      const loaded = await rowsIn(`${name}_snapshot`);
      expect(loaded.length).toBeGreaterThan(20);
      expect(JSON.stringify(loaded)).not.toContain(user);
      expect(loaded).toEqual(
        await rowsIn(`read_parquet('${lake}/${name}/**/*.parquet', hive_partitioning = false)`),
      );
    }
    connection.closeSync();
    instance.closeSync();
    await rm(database);
  });

  it('says how to check a tombstone', async () => {
    const [, command = ''] = /`(printf .*?)`/.exec(text) ?? [];
    const line = command.replace('SALT', 'salt').replace('USER_ID', user);
    const { stdout } = await promisify(execFile)('sh', ['-c', line]);
    const manifest = await readFile(
      join(folder.path, 'lake/_runs/run_date=2026-11-20/manifest.json'),
      'utf8',
    );
    const [{ salt, person_sha256 }] = JSON.parse(manifest).erasures;
    expect(stdout.split(' ')[0]).toBe(createHash('sha256').update(`salt ${user}`).digest('hex'));
    expect(createHash('sha256').update(`${salt} ${user}`).digest('hex')).toBe(person_sha256);
  });

  it('names every table whose rows are about a user, and every column that refers to one', () => {
    for (const { name, fields, key } of streams)
      for (const field of fields.filter(({ isUserId }) => isUserId))
        expect(text).toContain(key.includes(field.name) ? `\`${name}\`` : `\`${name}.${field.name}\``);
  });
});
