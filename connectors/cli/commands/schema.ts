import { z } from 'zod';
import { describeArrow, type FieldType, jsonSchemaOf, type StreamSchema } from '../../../src/index.js';
import { command } from '../../kit/command.js';
import { streamChoice, streamOf } from '../stream-choice.js';

const notations = ['json-schema', 'arrow', 'ddl'] as const;

const PRINTERS: Record<(typeof notations)[number], (schema: StreamSchema) => string> = {
  'json-schema': (schema) => JSON.stringify(jsonSchemaOf(schema), null, 2),
  arrow: describeArrow,
  ddl,
};

export const schema = command({
  name: 'schema',
  summary: 'Prints the fields of a stream as JSON Schema, Arrow schema or DDL.',
  positional: { key: 'stream', choices: streamChoice.options, describe: 'The stream to describe.' },
  settings: z.object({
    stream: streamChoice,
    as: z.enum(notations).default('json-schema').describe('The notation.'),
  }),
  async run({ stream, as }, { stdout }) {
    stdout.write(`${PRINTERS[as](streamOf(stream).schema)}\n`);
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
