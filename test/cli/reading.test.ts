import { PassThrough } from 'node:stream';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runCommandLine } from '../../connectors/cli/command-line.js';
import { type FixtureApi, startFixtureApi } from '../../fixtures/api/index.js';
import { effectiveAccessSchema, jsonSchemaOf, streams } from '../../src/index.js';
import { environmentOf, run, say } from './command.js';

/** The places that a line of names takes on a terminal: Chinese and Japanese characters take two. */
const placesOf = (line: string): number => line.replace(/[\u2e80-\ua4cf\uac00-\ud7a3]/g, 'xx').length;

const schemaOf = (name: string) => {
  const stream = streams.find((known) => known.name === name);
  if (!stream) throw new Error(`there is no stream ${name}`);
  return stream.schema;
};

let api: FixtureApi;
beforeAll(async () => {
  api = await startFixtureApi({ sizes: [0, 7, 30], awkward: true });
});
afterAll(() => api.close());

describe('preview', () => {
  it('shows the first rows as a table, and requests no page longer than that', async () => {
    const before = api.requests.length;
    const { code, stdout, stderr } = await run(['preview', 'users', '--rows', '5'], {
      env: environmentOf(api),
    });
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    for (const { name } of schemaOf('users').fields) expect(stdout).toContain(` ${name} `);
    expect(stdout.match(/user_/g)).toHaveLength(5);
    const limits = api.requests.slice(before).flatMap(({ limit }) => limit ?? []);
    expect(limits.length).toBeGreaterThan(0);
    expect(Math.max(...limits)).toBe(5);
  });

  it('keeps every row on a line, whatever is in it', async () => {
    const { stdout } = await say(['preview', 'users', '--rows', '37'], environmentOf(api));
    const lines = stdout.trimEnd().split('\n');
    expect(lines).toHaveLength(37 + 4);
    expect(lines.join('')).not.toMatch(/\p{Cc}|\p{Cf}/u);
  });

  it('shows a text without characters as "", and null as nothing', async () => {
    await using plain = await startFixtureApi({ sizes: [600], awkward: true });
    const { stdout } = await say(['preview', 'users', '--rows', '600'], environmentOf(plain));
    const [, head = '', , ...lines] = stdout.trimEnd().split('\n');
    const at = head.split('│').findIndex((cell) => cell.trim() === 'full_name');
    const shown = lines.slice(0, -1).map((line) => line.split('│')[at]?.trim());
    const served = [...plain.users(String(plain.organizations()[0]?.uuid))].map((user) => user.full_name);
    expect(served).toContain('');
    expect(served).toContain(null);
    for (const [i, name] of served.entries()) {
      if (name === null) expect(shown[i]).toBe('');
      if (name === '') expect(shown[i]).toBe('""');
    }
  });

  it.each([60, 100, 200])('fits a terminal of %d columns', async (columns) => {
    await using plain = await startFixtureApi({ sizes: [50] });
    const stdout = Object.assign(new PassThrough(), { columns });
    const { signal } = new AbortController();
    const context = { stdout, stderr: new PassThrough(), signal };
    const environment = environmentOf(plain);
    expect(await runCommandLine(['preview', 'users', '--rows', '50'], { ...context, environment })).toBe(0);
    stdout.end();
    const shown = await text(stdout);
    for (const line of shown.split('\n')) expect(placesOf(line)).toBeLessThanOrEqual(columns);
    for (const { name } of schemaOf('users').fields) expect(shown).toContain(name.slice(0, 11));
  });

  it('of organisations requests the list alone', async () => {
    const before = api.requests.length;
    const { code, stdout } = await say(['preview', 'organizations'], environmentOf(api));
    expect(code).toBe(0);
    for (const { uuid } of api.organizations()) expect(stdout).toContain(String(uuid));
    expect(api.requests.length - before).toBe(1);
  });

  it.each(streams.map(({ name }) => name))('shows the rows of %s with all their columns', async (name) => {
    const { code, stdout } = await say(['preview', name, '--rows', '2'], environmentOf(api));
    expect(code).toBe(0);
    for (const field of schemaOf(name).fields) expect(stdout).toContain(` ${field.name} `);
    expect(stdout.trimEnd().split('\n')).toHaveLength(2 + 4);
  });

  it('shows true and false, and JSON as it is in text files', async () => {
    await using plain = await startFixtureApi({ sizes: [3], groups: 3 });
    const cellsOf = async (name: string, column: string, ...flags: string[]): Promise<string[]> => {
      const { stdout } = await say(['preview', name, ...flags], environmentOf(plain));
      const [, head = '', , ...lines] = stdout.trimEnd().split('\n');
      const at = head.split('│').findIndex((cell) => cell.trim() === column);
      return lines.slice(0, -1).map((line) => line.split('│')[at]?.trim() ?? '');
    };
    const keys = [...plain.records('api_keys')];
    expect(await cellsOf('api_keys', 'is_active')).toEqual(keys.map(({ is_active }) => String(is_active)));
    const groups = [...plain.records('groups')].map(({ roles }) => roles as string[] | null);
    const shown = await cellsOf('groups', 'roles');
    expect(groups.map((roles) => roles?.length ?? null)).toContain(null);
    for (const [i, roles] of groups.entries()) {
      if (roles === null || roles.length === 0) expect(shown[i]).toBe(roles ? '[]' : '');
      else expect(shown[i]).toMatch(new RegExp(`^\\["${roles[0]}"`));
    }
    const settings = await cellsOf('organization_settings', 'value', '--rows', '12');
    expect(settings).toEqual(expect.arrayContaining(['true', 'false', '[]', '']));
    // A text has its quotes, so that it differs from the same word as another value.
    expect(settings.some((value) => /^"(login_only|jit_\w+|scim_\w+)"$/.test(value))).toBe(true);
  });

  it('says of a stream that is not enabled that nothing is known, after a few lists', async () => {
    await using off = await startFixtureApi({ sizes: [1, 1, 1, 1, 1], settings: 'off' });
    const { code, stdout } = await say(['preview', 'organization_settings'], environmentOf(off));
    expect({ code, stdout }).toEqual({
      code: 0,
      stdout: 'nothing is known: not enabled for this parent organisation (3 lists tried: 404)\n',
    });
    expect(off.requests).toHaveLength(1 + 3);
  });

  it('says so when there is nothing to show', async () => {
    await using none = await startFixtureApi({ sizes: [] });
    expect(await say(['preview', 'users'], environmentOf(none))).toMatchObject({
      code: 0,
      stdout: 'no rows\n',
    });
  });
});

describe('schema', () => {
  it('prints JSON Schema', async () => {
    const { code, stdout } = await say(['schema', 'users']);
    expect({ code, schema: JSON.parse(stdout) }).toEqual({
      code: 0,
      schema: jsonSchemaOf(schemaOf('users')),
    });
  });

  it('prints the Arrow schema, one field a line', async () => {
    const { stdout } = await say(['schema', 'organizations', '--as', 'arrow']);
    expect(stdout.trimEnd().split('\n')).toEqual([
      'uuid: Utf8 not null',
      'name: Utf8',
      'created_at: Timestamp<MICROSECOND, UTC>',
      'snapshot_date: Date32<DAY> not null',
      'extra: Utf8',
    ]);
  });

  it.each(
    [...streams.map(({ schema }) => schema), effectiveAccessSchema].map((schema) => ({
      name: schema.name,
      schema,
    })),
  )('prints DDL that DuckDB takes: $name', async ({ name, schema: { fields } }) => {
    const duckdb = await import('@duckdb/node-api');
    const connection = await (await duckdb.DuckDBInstance.create(':memory:')).connect();
    try {
      await connection.run((await say(['schema', name, '--as', 'ddl'])).stdout);
      const reader = await connection.runAndReadAll(
        `SELECT column_name, data_type FROM information_schema.columns WHERE table_name = '${name}'`,
      );
      const types = {
        string: 'VARCHAR',
        timestamp: 'TIMESTAMP WITH TIME ZONE',
        date: 'DATE',
        boolean: 'BOOLEAN',
        json: 'VARCHAR',
      };
      expect(reader.getRows()).toEqual(fields.map(({ name, type }) => [name, types[type]]));
    } finally {
      connection.closeSync();
    }
  });
});
