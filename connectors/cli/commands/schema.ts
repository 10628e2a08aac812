import { z } from 'zod';
import {
  describeArrow,
  type FieldType,
  jsonSchemaOf,
  type StreamSchema,
  streams,
} from '../../../src/index.js';
import { command } from '../command.js';

const PRINTERS: Record<string, (schema: StreamSchema) => string> = {
  'json-schema': (schema) => JSON.stringify(jsonSchemaOf(schema), null, 2),
  arrow: describeArrow,
  ddl,
};

const names = streams.map((stream) => stream.schema.name) as [string, ...string[]];

export const schema = command({
  name: 'schema',
  summary: 'Prints the fields of a stream as JSON Schema, Arrow schema or DDL.',
  positional: { key: 'stream', choices: names, describe: 'The stream to describe.' },
  settings: z.object({
    stream: z.enum(names),
    as: z.enum(['json-schema', 'arrow', 'ddl']).default('json-schema').describe('The notation.'),
  }),
  async run({ stream, as }, { stdout }) {
    const described = streams.find(({ schema }) => schema.name === stream);
    if (described) stdout.write(`${PRINTERS[as]?.(described.schema)}\n`);
    return 0;
  },
});

const SQL_TYPES: Record<FieldType, string> = {
  string: 'VARCHAR',
  timestamp: 'TIMESTAMP WITH TIME ZONE',
  date: 'DATE',
  json: 'VARCHAR',
};

/** Standard SQL (a timestamp has microseconds by default), with `extra` as text. */
function ddl({ name, fields, primaryKey }: StreamSchema): string {
  const columns = fields.map(
    (field) => `  ${field.name} ${SQL_TYPES[field.type]}${field.nullable ? '' : ' NOT NULL'}`,
  );
  const key = [...primaryKey, 'snapshot_date'].join(', ');
  return `CREATE TABLE ${name} (\n${[...columns, `  PRIMARY KEY (${key})`].join(',\n')}\n);`;
}
