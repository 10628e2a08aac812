import { beforeAll, describe, expect, it } from 'vitest';
import { streams as registry } from '../../src/index.js';
import { file, run } from './harness.js';
import { only } from './protocol.js';

type Property = { type: string | string[]; format?: string; airbyte_type?: string };
interface Stream {
  name: string;
  json_schema: Record<string, unknown> & { properties: Record<string, Property> };
  supported_sync_modes: string[];
  source_defined_primary_key: string[][];
  is_resumable: boolean;
  source_defined_cursor: boolean;
}
let streams: Stream[];

beforeAll(async () => {
  const { exitCode, messages } = await run(['discover', '--config', file({ api_key: 'any' })]);
  expect(exitCode).toBe(0);
  streams = only(messages, 'CATALOG')[0]?.catalog.streams as unknown as Stream[];
});

describe('the catalog', () => {
  it('offers every stream of the registry as a resumable full refresh', () => {
    expect(streams.map(({ name }) => name)).toEqual(registry.map(({ name }) => name));
    for (const stream of streams) {
      expect(stream).toMatchObject({
        supported_sync_modes: ['full_refresh'],
        is_resumable: true,
        source_defined_cursor: true,
      });
    }
  });

  it('has the columns of the files', () => {
    const columns = streams.map(({ json_schema }) => Object.keys(json_schema.properties));
    const added = (name: string) => (name === 'role_permissions' ? ['record_key'] : []);
    expect(columns).toEqual(
      registry.map(({ name, schema }) => [...schema.fields.map((field) => field.name), ...added(name)]),
    );
  });

  it('names keys that exist, are scalar and never null', () => {
    const keys = streams.map(({ name, source_defined_primary_key }) => [name, source_defined_primary_key]);
    expect(Object.fromEntries(keys)).toMatchObject({
      organizations: [['uuid']],
      users: [['organization_uuid'], ['id']],
      roles: [['organization_uuid'], ['id']],
      // Two columns of its own key may be null, which no merge would find again.
      role_permissions: [['organization_uuid'], ['role_id'], ['record_key']],
      group_members: [['group_id'], ['user_id']],
    });
    for (const { source_defined_primary_key: keys, json_schema } of streams) {
      for (const [key = ''] of keys) expect(json_schema.properties[key]?.type).toBe('string');
    }
  });

  it('declares instants with their zone, days, and an object for unknown fields', () => {
    const instant = { format: 'date-time', airbyte_type: 'timestamp_with_timezone' };
    for (const [at, { json_schema }] of streams.entries()) {
      expect(json_schema).toMatchObject({ type: 'object', additionalProperties: true });
      expect(json_schema.properties).toMatchObject({
        snapshot_date: { type: 'string', format: 'date' },
        extra: { type: ['object', 'null'], additionalProperties: true },
      });
      const fields = registry[at]?.schema.fields.filter(({ type }) => type === 'timestamp') ?? [];
      for (const { name } of fields) {
        expect(json_schema.properties[name]).toMatchObject({ type: ['string', 'null'], ...instant });
      }
      expect(JSON.stringify(json_schema)).not.toMatch(/\$ref|allOf|anyOf|oneOf|"not"/);
    }
  });

  it('declares booleans, lists, and JSON of any shape as text: a column of a destination has one type', () => {
    const properties = Object.assign({}, ...streams.map(({ json_schema }) => json_schema.properties));
    expect(properties).toMatchObject({
      is_active: { type: ['boolean', 'null'] },
      scopes: { type: ['array', 'null'] },
      roles: { type: ['array', 'null'] },
      value: { type: ['string', 'null'] },
    });
  });

  it('is refused for a configuration that could not read it', async () => {
    const { exitCode, messages } = await run(['discover', '--config', file({ page_size: 0 })]);
    expect(exitCode).toBe(1);
    expect(only(messages, 'CATALOG')).toEqual([]);
  });
});
