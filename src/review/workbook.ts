import { writeXlsxStream } from 'hucre/xlsx';
import type { Row } from '../model/rows.js';
import type { StreamSchema } from '../model/schema.js';

/** Rows of a sheet that Excel opens, without the header. */
const MAX_ROWS = 1_048_575;
/** Bytes of text: a part of a workbook without ZIP64 has at most four times as many. */
const MAX_BYTES = 1024 ** 3;

/** What a workbook would hold. */
export interface Size {
  rows: number;
  bytes: number;
}

/** Why rows do not fit into a workbook; undefined when they do. */
export function whyNoWorkbook({ rows, bytes }: Size): string | undefined {
  if (rows > MAX_ROWS) return `more than ${MAX_ROWS} rows`;
  return bytes > MAX_BYTES ? `more than ${MAX_BYTES} bytes of text` : undefined;
}

export interface Sheet {
  schema: StreamSchema;
  batches: AsyncIterable<readonly Row[]>;
}

/**
 * A workbook with one sheet, as the bytes of an `.xlsx` file. Every cell is a text, also one that begins with `=`. The rows pass
 * through: memory does not grow with them. They are to fit: see `whyNoWorkbook`, and no cell is to be longer than 32,767 characters.
 */
export async function* workbookBytes({ schema, batches }: Sheet): AsyncGenerator<Uint8Array> {
  const names = schema.fields.map(({ name }) => name);
  async function* rows(): AsyncGenerator<(string | null)[]> {
    for await (const batch of batches)
      for (const row of batch) yield names.map((name) => cellOf(row[name] as string | null));
  }
  yield* writeXlsxStream(rows(), {
    name: schema.name,
    columns: names.map((header) => ({ header, width: WIDTHS[header] ?? WIDTH })),
    freezePane: { rows: 1 },
  });
}

const WIDTH = 18;
const WIDTHS: Readonly<Record<string, number>> = {
  organization_uuid: 38,
  email: 32,
  full_name: 28,
  note: 40,
};

/** Excel reads `_x0041_` as `A`: its own way to write that text. An empty cell is none. */
const cellOf = (text: string | null): string | null =>
  text === null || text === '' ? null : text.replaceAll(/_(?=x[0-9A-Fa-f]{4}_)/g, '_x005F_');
