import { z } from 'zod';
import {
  ConfigError,
  chooseSnapshot,
  describeArrow,
  effectiveAccessSchema,
  type FieldType,
  hasNullableKey,
  jsonSchemaOf,
  type Manifest,
  manifestFiles,
  newestWith,
  readLog,
  type Storage,
  type StreamSchema,
  streams,
} from '../../../src/index.js';
import { command } from '../../kit/command.js';
import { openRoot, rootSettings } from '../../kit/root.js';
import { duckdbView } from '../duckdb-view.js';

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
    table: tableChoice.optional(),
    as: z.enum(notations).default('json-schema').describe('The notation.'),
    view: z
      .string()
      .min(1)
      .optional()
      .describe(
        'Print a view for DuckDB instead, on this folder or bucket that dump wrote to: complete days only. Without <table>, one for each.',
      ),
    ...rootSettings.shape,
  }),
  async run({ table, as, view, storageOption }, { stdout }) {
    const asked = schemas.filter(({ name }) => name === table);
    if (view !== undefined) {
      const manifest = await describing(await openRoot({ out: view, storageOption }), table);
      for (const described of tablesOf(manifest, asked))
        stdout.write(`${duckdbView({ root: view, manifest, schema: described })}\n`);
      return 0;
    }
    const [described] = asked;
    if (!described)
      throw new ConfigError(`Missing <table>. One of: ${tableChoice.options.join(', ')}.`, {
        code: 'settings_invalid',
      });
    stdout.write(`${PRINTERS[as](described)}\n`);
    return 0;
  },
});

/** The manifest that says how the files of a table are; by default those of the tables that every complete day has. */
async function describing(storage: Storage, table: string | undefined): Promise<Manifest> {
  const newest = await chooseSnapshot(storage, undefined);
  const asked = streams.filter(({ name, isDefault }) => (table === undefined ? isDefault : name === table));
  const names = asked.map(({ name }) => name);
  return (await newestWith({ storage, log: await readLog(storage), streams: names })) ?? newest;
}

/** Those asked for, or all, of which a snapshot has files: a view needs one. @throws ConfigError `table_missing` */
function tablesOf(manifest: Manifest, asked: readonly StreamSchema[]): readonly StreamSchema[] {
  const held = new Set(manifestFiles(manifest).map(({ table }) => table));
  const [missing] = asked.filter(({ name }) => !held.has(name));
  if (!missing) return asked.length > 0 ? asked : schemas.filter(({ name }) => held.has(name));
  throw new ConfigError(
    `The snapshot of ${manifest.run_date} has no files of ${missing.name}. It has ${[...held].join(', ')}.`,
    { code: 'table_missing' },
  );
}

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
