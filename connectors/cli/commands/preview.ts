import { z } from 'zod';
import {
  type ComplianceClient,
  type Field,
  type Row,
  rowMaker,
  type Stream,
  type StreamSchema,
  verdictOf,
} from '../../../src/index.js';
import { command } from '../../kit/command.js';
import { connect, connectionSettings } from '../../kit/connection.js';
import { counted } from '../../kit/counts.js';
import { printable } from '../../kit/printable.js';
import { tableText } from '../../kit/table.js';
import { openWaiting } from '../../kit/waiting.js';
import { streamChoice, streamOf } from '../stream-choice.js';

/** Lists that are tried of a stream that is not enabled: each costs a request. */
const MAX_OFF = 3;

/** The first rows of a stream, as they would be in the files. */
export const preview = command({
  positionals: [{ key: 'stream', choices: streamChoice.options, describe: 'The stream to show.' }],
  settings: connectionSettings.extend({
    stream: streamChoice,
    rows: z.int().min(1).max(1000).default(10).describe('How many rows.'),
  }),
  async run(settings, context) {
    // No page is requested that is longer than what is shown.
    const pageSize = Math.min(settings.pageSize, settings.rows);
    const waiting = openWaiting(context);
    await using client = connect({ ...settings, pageSize }, context, { ...waiting, failUnreachable: true });
    const stream = streamOf(settings.stream);
    const { rows, off } = await waiting.during(`asking ${client.baseUrl} for ${stream.name}`, () =>
      firstRows(client, stream, settings.rows),
    );
    context.stdout.write(
      rows.length > 0 ? `${shown(stream.schema, rows, context.stdout.columns)}\n` : `${nothing(off)}\n`,
    );
    return 0;
  },
});

/** So many rows, or as many as there are; and how many lists are not enabled. */
async function firstRows(client: ComplianceClient, stream: Stream, count: number) {
  const today = new Date().toISOString().slice(0, 10);
  const toRow = rowMaker(stream.schema, { snapshot_date: today }, { surrogates: 0 });
  const rows: Row[] = [];
  let off = 0;
  for await (const parent of client.parents(stream)) {
    try {
      for await (const record of client.records(stream, { parent })) {
        rows.push(toRow({ ...parent, ...record }));
        if (rows.length === count) break;
      }
    } catch (error) {
      const verdict = verdictOf(error);
      if (verdict === 'unavailable') off += 1;
      else if (verdict !== 'gone') throw error;
    }
    if (rows.length === count || off === MAX_OFF) break;
  }
  return { rows, off };
}

const nothing = (off: number): string =>
  off > 0
    ? `nothing is known: not enabled for this parent organisation (${counted(off, 'list')} tried: 404)`
    : 'no rows';

const shown = ({ fields }: StreamSchema, rows: readonly Row[], width: number | undefined): string =>
  tableText({
    columns: fields.map(({ name }) => ({ name })),
    rows: rows.map((row) => fields.map((field) => cell(row[field.name] ?? null, field))),
    width,
    borders: true,
  });

/** Of a cell: a turned table has room for more than a column has. */
const MAX_CELL = 500;

/**
 * One line that cannot move the cursor; an empty cell is null. JSON is shown as it is in text files: a JSON text has its
 * quotes. So has any other text that would look like nothing, or like one with quotes.
 */
function cell(value: Row[string], { type }: Field): string {
  if (value === null) return '';
  const isPlain = type !== 'json' && typeof value === 'string' && !/^\s*$|^"/.test(value);
  return printable(isPlain ? value : JSON.stringify(value), MAX_CELL);
}
