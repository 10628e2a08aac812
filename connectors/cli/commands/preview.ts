import { Console } from 'node:console';
import { z } from 'zod';
import { type Row, rowMaker, type StreamSchema } from '../../../src/index.js';
import { command } from '../../kit/command.js';
import { connect, connectionSettings } from '../../kit/connection.js';
import { streamChoice, streamOf } from '../stream-choice.js';

const MAX_WIDTH = 48;

/** The first rows of a stream, as they would be in the files. */
export const preview = command({
  name: 'preview',
  summary: 'Shows the first rows of a stream as a table; nothing is written.',
  positional: { key: 'stream', choices: streamChoice.options, describe: 'The stream to show.' },
  settings: connectionSettings.extend({
    stream: streamChoice,
    rows: z.int().min(1).max(1000).default(10).describe('How many rows.'),
  }),
  async run(settings, context) {
    // No page is requested that is longer than what is shown.
    const pageSize = Math.min(settings.pageSize, settings.rows);
    await using client = connect({ ...settings, pageSize }, context);
    const stream = streamOf(settings.stream);
    const { schema } = stream;
    const today = new Date().toISOString().slice(0, 10);
    const toRow = rowMaker(schema, { snapshot_date: today }, { surrogates: 0 });
    const rows: Row[] = [];
    for await (const record of client.all(stream, { concurrency: 1 })) {
      rows.push(toRow(record));
      if (rows.length === settings.rows) break;
    }
    if (rows.length === 0) context.stdout.write('no rows\n');
    else new Console(context.stdout).table(rows.map((row) => printable(schema, row)));
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
  return plain.length > MAX_WIDTH ? `${plain.slice(0, MAX_WIDTH - 1)}…` : plain;
}
