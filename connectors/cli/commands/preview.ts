import { Console } from 'node:console';
import { z } from 'zod';
import {
  organizationsSchema,
  type Row,
  rowMaker,
  type StreamSchema,
  usersSchema,
} from '../../../src/index.js';
import { command } from '../command.js';
import { connect, connectionSettings } from '../connection.js';

const WIDEST = 48;

/** The first rows of a stream, as they would be in the files. */
export const preview = command({
  name: 'preview',
  summary: 'Shows the first rows of a stream as a table; nothing is written.',
  positional: { key: 'stream', choices: ['organizations', 'users'], describe: 'The stream to look at.' },
  settings: connectionSettings.extend({
    stream: z.enum(['organizations', 'users']),
    rows: z.int().min(1).max(1000).default(10).describe('How many rows.'),
  }),
  async run(settings, surroundings) {
    // No page is asked for that is longer than what is shown.
    await using client = connect(
      { ...settings, pageSize: Math.min(settings.pageSize, settings.rows) },
      surroundings,
    );
    const schema = settings.stream === 'users' ? usersSchema : organizationsSchema;
    const records =
      settings.stream === 'users'
        ? client.organizations.streamAllUsers({ concurrency: 1 })
        : client.organizations.stream();
    const toRow = rowMaker(
      schema,
      { snapshot_date: new Date().toISOString().slice(0, 10) },
      { surrogates: 0 },
    );
    const rows: Row[] = [];
    for await (const record of records) {
      rows.push(toRow(record));
      if (rows.length === settings.rows) break;
    }
    if (rows.length === 0) surroundings.stdout.write('no rows\n');
    else new Console(surroundings.stdout).table(rows.map((row) => printable(schema, row)));
    return 0;
  },
});

function printable(schema: StreamSchema, row: Row): Record<string, string> {
  return Object.fromEntries(schema.fields.map(({ name }) => [name, cell(row[name] ?? null)]));
}

/** One line that cannot move the cursor. */
function cell(value: Row[string]): string {
  if (value === null) return '';
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  const plain = text.replace(/\p{C}/gu, '·');
  return plain.length > WIDEST ? `${plain.slice(0, WIDEST - 1)}…` : plain;
}
