import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type FixtureApi, startFixtureApi } from '../../fixtures/api/index.js';
import { jsonSchemaOf, streams } from '../../src/index.js';
import { environmentOf, run, say } from './command.js';

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

describe('check', () => {
  it('says how many organisations the key sees, with two requests', async () => {
    const before = api.requests.length;
    const { code, stdout, stderr } = await run(['check'], { env: environmentOf(api) });
    expect({ code, stdout, stderr }).toEqual({
      code: 0,
      stdout: 'organizations: ok, the key sees 3\nusers: ok\n',
      stderr: '',
    });
    expect(api.requests.length - before).toBe(2);
  });

  it('notes, where there is one organisation, whose key sees one', async () => {
    await using one = await startFixtureApi({ sizes: [1] });
    const { code, stdout } = await say(['check'], environmentOf(one));
    expect(code).toBe(0);
    expect(stdout).toContain("note: the key of an organisation's owner sees one organisation");
  });

  it('says, where there is none, which streams cannot be checked', async () => {
    await using none = await startFixtureApi({ sizes: [] });
    const { code, stdout } = await say(['check'], environmentOf(none));
    expect({ code, stdout }).toEqual({
      code: 0,
      stdout:
        'organizations: ok, the key sees 0\nusers: not checked, because no record of organizations was read\n',
    });
  });

  it.each([
    [
      'read:compliance_org_data',
      'read:compliance_user_data',
      'organizations: the key lacks the scope read:compliance_org_data\nusers: not checked, because no record of organizations was read\n',
    ],
    [
      'read:compliance_user_data',
      'read:compliance_org_data',
      'organizations: ok, the key sees 2\nusers: the key lacks the scope read:compliance_user_data\n',
    ],
  ] as const)('names the scope %s when it is missing, and exits with 2', async (missing, given, said) => {
    await using half = await startFixtureApi({ sizes: [1, 1], scopes: [given] });
    const { code, stdout, stderr } = await say(['check'], environmentOf(half));
    expect({ code, stdout }).toEqual({ code: 2, stdout: said });
    expect(stderr).toContain(`the key lacks the scope ${missing}`);
  });

  it('checks every stream that is asked for, with one request each, also after one whose scope is missing', async () => {
    await using half = await startFixtureApi({ sizes: [1, 1], scopes: ['read:compliance_org_data'] });
    const all = ['--streams', ...streams.map(({ name }) => name)];
    const { code, stdout } = await say(['check', ...all], environmentOf(half));
    expect(code).toBe(2);
    expect(stdout.split('\n').map((line) => line.split(':')[0])).toEqual([
      ...streams.map(({ name }) => name),
      '',
    ]);
    expect(stdout).toContain('roles: ok\n');
    expect(half.requests).toHaveLength(streams.length);
  });

  it('with a wrong key exits with 2, and repeats neither this key nor any other', async () => {
    const wrong = 'sk-ant-api01-wrong-KEY';
    const { code, stdout, stderr } = await run(['check'], {
      env: environmentOf(api, { ANTHROPIC_COMPLIANCE_ACCESS_KEY: wrong }),
    });
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toMatch(/^error: GET .* 401 .*\[authentication_failed\]\n$/);
    expect(stderr).not.toContain(wrong);
    expect(stderr).not.toContain(api.key);
  });

  it('exits with 75 where nothing answers', async () => {
    const environment = environmentOf(api, { ANTHROPIC_COMPLIANCE_BASE_URL: 'http://127.0.0.1:1' });
    expect(await say(['check', '--max-retries', '0'], environment)).toMatchObject({ code: 75, stdout: '' });
  });
});

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

  it.each(streams.map(({ name, schema }) => ({ name, schema })))(
    'prints DDL that DuckDB takes: $name',
    async ({ name, schema: { fields } }) => {
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
          json: 'VARCHAR',
        };
        expect(reader.getRows()).toEqual(fields.map(({ name, type }) => [name, types[type]]));
      } finally {
        connection.closeSync();
      }
    },
  );
});
