import { Ajv2020 } from 'ajv/dist/2020.js';
import { describe, expect, it } from 'vitest';
import { jsonSchemaOf } from '../src/model/json-schema.js';
import { createSink } from '../src/sinks/index.js';
import { organizations } from '../src/streams/organizations.js';
import { users } from '../src/streams/users.js';
import { awkwardOrganizations, awkwardUsers } from './sinks/awkward-rows.js';
import { encoded, inBatches } from './sinks/encoded.js';

/** As an annotation, which is what the 2020-12 dialect says that `format` is. */
const validatorOf = (schema: object) => new Ajv2020({ validateFormats: false }).compile(schema);

describe('jsonSchemaOf', () => {
  it('describes every column, in the order of the files', () => {
    expect(jsonSchemaOf(organizations.schema)).toMatchObject({
      title: 'organizations',
      properties: {
        uuid: { type: 'string' },
        name: { type: ['string', 'null'] },
        created_at: { type: ['string', 'null'], format: 'date-time' },
        snapshot_date: { type: 'string', format: 'date' },
        extra: { type: ['object', 'null'], additionalProperties: true },
      },
      required: ['uuid', 'name', 'created_at', 'snapshot_date', 'extra'],
    });
  });

  it.each([
    [users.schema, awkwardUsers],
    [organizations.schema, awkwardOrganizations],
  ])('fits every line of NDJSON', async (schema, rows) => {
    const valid = validatorOf(jsonSchemaOf(schema));
    const text = (await encoded(createSink('ndjson'), schema, inBatches([rows]))).toString();
    for (const line of text.trimEnd().split('\n'))
      expect(valid(JSON.parse(line)), line.slice(0, 500)).toBe(true);
  });

  it('does not fit rows with a column missing, in excess, or of another type', () => {
    const valid = validatorOf(jsonSchemaOf(organizations.schema));
    const row = { uuid: 'u', name: null, created_at: null, snapshot_date: '2026-11-23', extra: null };
    const { extra, ...rest } = row;
    expect(valid(row)).toBe(true);
    for (const other of [rest, { ...row, more: 1 }, { ...row, uuid: null }, { ...row, extra: '{}' }]) {
      expect(valid(other)).toBe(false);
    }
  });
});
