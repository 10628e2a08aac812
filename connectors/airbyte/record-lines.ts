import {
  batchMaker,
  type ColumnBatch,
  type Extra,
  jsonRows,
  jsonText,
  type Repairs,
  type Row,
  rawOf,
  type ServedRecords,
} from '../../src/index.js';
import { isSentAsText, type Selection } from './catalog.js';
import { dataMaker, isPlainInstant } from './record.js';
import { hasRecordKey } from './record-key.js';

/** RECORD messages, each a line. */
export interface RecordLines {
  readonly records: number;
  readonly text: string;
  /** Whether the text is raw: the UTF-8 of it, a character a byte. */
  readonly isRaw: boolean;
}

/** Makes the lines of a page's records; they are taken out of it. */
export type RecordWriter = (served: ServedRecords, emittedAt: number) => RecordLines;

/**
 * Makes the lines of the records of one list. Most records are sent as they were served: their lines are made column by column,
 * as those of an NDJSON file are, without an object for each.
 */
export function recordWriter(
  selection: Selection,
  added: Readonly<Record<string, string>>,
  repairs: Repairs,
): RecordWriter {
  const { stream, schema } = selection;
  const toBatch = batchMaker(schema, added, repairs);
  const dataOf = dataMaker(selection);
  const isAlwaysChanged = hasRecordKey(stream) || schema.fields.some(isSentAsText);
  const isAsServed = isAlwaysChanged ? () => false : isInstantPlain(selection);
  const before = `{"type":"RECORD","record":{"stream":${JSON.stringify(schema.name)},"data":`;

  return (served, emittedAt) => {
    const extras = served.records.map(({ extra }) => extra as Extra | undefined);
    const batch = toBatch(served);
    const { isRaw, length: records } = batch;
    const after = `,"emitted_at":${emittedAt}`;
    const lines = jsonRows(batch).map((json, i) => {
      if (extras[i] === undefined && isAsServed(batch, i)) return `${before}${json}${after}}}\n`;
      const { data, changes } = dataOf(rowAt(batch, i), extras[i] ?? {});
      const meta = changes.length > 0 ? `,"meta":${JSON.stringify({ changes })}` : '';
      const text = jsonText(data);
      return `${before}${isRaw ? rawOf(text) : text}${after}${meta}}}\n`;
    });
    return { records, text: lines.join(''), isRaw };
  };
}

/** Whether all instants of a row are in the form in which they are sent. */
function isInstantPlain({ schema: { fields } }: Selection): (batch: ColumnBatch, row: number) => boolean {
  const columns = fields.flatMap(({ type }, i) => (type === 'timestamp' ? [i] : []));
  return (batch, row) =>
    columns.every((i) => {
      const text = batch.columns[i]?.[row] as string | null;
      return text === null || isPlainInstant(text);
    });
}

const rowAt = (batch: ColumnBatch, i: number): Row => [...batch.slice(i, i + 1)][0] as Row;
