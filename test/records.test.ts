import { describe, expect, it } from 'vitest';
import { type Json, recordParser } from '../src/model/records.js';
import { streams } from '../src/streams/index.js';

const parse = (name: string, json: unknown): Record<string, Json> => {
  const stream = streams.find((one) => one.name === name);
  if (!stream) throw new Error(`There is no stream ${name}.`);
  return recordParser<Record<string, Json>>(stream)(json);
};

describe('a field of a record', () => {
  it.each([
    ['a list', { roles: ['a'] }, { roles: ['a'], extra: {} }],
    ['an empty list', { roles: [] }, { roles: [], extra: {} }],
    ['null', { roles: null }, { roles: null, extra: {} }],
    ['missing', {}, { roles: null, extra: {} }],
    ['a text where a list should be', { roles: 'a' }, { roles: null, extra: { roles: 'a' } }],
    ['an object where a list should be', { roles: { a: 1 } }, { roles: null, extra: { roles: { a: 1 } } }],
  ])('of a group is %s', (_, served, expected) => {
    expect(parse('groups', { id: 'g', ...served })).toMatchObject(expected);
  });

  it.each([
    [true, true, {}],
    [false, false, {}],
    [null, null, {}],
    ['true', null, { is_active: 'true' }],
    [1, null, { is_active: 1 }],
  ])('that is a boolean is served as %j', (served, held, extra) => {
    expect(parse('api_keys', { id: 'k', is_active: served })).toMatchObject({ is_active: held, extra });
  });

  it.each([[true], [0], [''], ['a'], [[]], [{}], [null]])('of any shape is %j', (value) => {
    expect(parse('organization_settings', { name: 'n', value })).toMatchObject({ value, extra: {} });
  });
});

describe('a key', () => {
  const permission = (fields: object) => parse('role_permissions', { action: 'use', ...fields });

  it('may be null or missing where its field may be null; the empty text is another key', () => {
    expect(permission({ resource_id: null })).toMatchObject({ resource_type: null, resource_id: null });
    expect(permission({ resource_id: '' })).toMatchObject({ resource_id: '' });
  });

  it.each([
    ['a number where text or null should be', { resource_id: 5 }],
    ['a list where text or null should be', { resource_type: [] }],
    ['null where it must be text', { action: null }],
    ['empty where it must be text', { action: '' }],
    ['a number where it must be text', { action: 7 }],
  ])('is refused when it is %s: two records could pass for one', (_, fields) => {
    expect(() => permission(fields)).toThrow(expect.objectContaining({ code: 'record_without_key' }));
  });
});
