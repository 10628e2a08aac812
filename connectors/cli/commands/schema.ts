import { z } from 'zod';
import {
  describeArrow,
  effectiveAccessSchema,
  type FieldType,
  hasNullableKey,
  jsonSchemaOf,
  type StreamSchema,
  streams,
} from '../../../src/index.js';
import { command } from '../../kit/command.js';

const notations = ['json-schema', 'arrow', 'ddl'] as const;

const PRINTERS: Record<(typeof notations)[number], (schema: StreamSchema) => string> = {
  'json-schema': (schema) => JSON.stringify(jsonSchemaOf(schema), null, 2),
  arrow: describeArrow,
  ddl,
};

/** Of the streams, and of what is derived from them. */
const schemas = [...streams.map((stream) => stream.schema), effectiveAccessSchema];

const tableChoice = z.enum(schemas.map(({ name }) => name) as [string, ...string[]]);

export const schema = command({
  positionals: [{ key: 'table', choices: tableChoice.options, describe: 'The table to describe.' }],
  settings: z.object({
    table: tableChoice,
    as: z.enum(notations).default('json-schema').describe('The notation.'),
  }),
  async run({ table, as }, { stdout }) {
    const described = schemas.find(({ name }) => name === table) as StreamSchema;
    stdout.write(`${PRINTERS[as](described)}\n`);
    return 0;
  },
});

const SQL_TYPES: Record<FieldType, string> = {
  string: 'VARCHAR',
  timestamp: 'TIMESTAMP WITH TIME ZONE',
  date: 'DATE',
  boolean: 'BOOLEAN',
  json: 'VARCHAR',
};

/** Standard SQL (a timestamp has microseconds by default), with JSON as text. */
function ddl({ name, fields, primaryKey }: StreamSchema): string {
  const columns = fields.map(
    (field) => `  ${field.name} ${SQL_TYPES[field.type]}${field.nullable ? '' : ' NOT NULL'}`,
  );
  // A primary key takes no nulls.
  const key = hasNullableKey(fields, primaryKey)
    ? []
    : [`  PRIMARY KEY (${[...primaryKey, 'snapshot_date'].join(', ')})`];
  return `CREATE TABLE ${name} (\n${[...columns, ...key].join(',\n')}\n);`;
}
