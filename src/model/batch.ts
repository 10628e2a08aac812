import type { CompactRecord } from './records.js';
import { type Repairs, repairer } from './repair.js';
import { isEmpty, type Row, type Value } from './rows.js';
import { EXTRA, type StreamSchema } from './schema.js';

/** Rows of one table on their way into a file, as many as come at once. An array of rows is one. */
export interface Batch extends Iterable<Row> {
  readonly length: number;
}

/** A batch that is held column by column; its rows are made when somebody iterates over them. */
export interface ColumnBatch extends Batch {
  readonly schema: StreamSchema;
  /** In the order of the fields, with a value for each row. Texts hold no lone surrogates. */
  readonly columns: readonly (readonly Value[])[];
  /** Whether no text in it needs an escape in JSON: it holds no quote, backslash or control character. */
  readonly isPlain: boolean;
  slice(from: number, to: number): ColumnBatch;
}

/** The records of one page. */
export interface ServedRecords {
  readonly records: readonly CompactRecord[];
  /** Whether the page held no escape: then no text in it needs one, and none has a lone surrogate. */
  readonly isPlain: boolean;
}

/** Makes a batch of columns. */
export function columnBatch({
  schema,
  columns,
  isPlain,
}: Pick<ColumnBatch, 'schema' | 'columns' | 'isPlain'>): ColumnBatch {
  const length = columns[0]?.length ?? 0;
  return {
    schema,
    columns,
    isPlain,
    length,
    slice: (from, to) =>
      columnBatch({ schema, isPlain, columns: columns.map((values) => values.slice(from, to)) }),
    *[Symbol.iterator]() {
      for (let i = 0; i < length; i += 1) {
        const row: Record<string, Value> = {};
        for (const [at, { name }] of schema.fields.entries()) row[name] = columns[at]?.[i] as Value;
        yield row;
      }
    },
  };
}

/** The same as `rowMaker`, for the records of a page at once: no row is made. */
export function batchMaker(
  schema: StreamSchema,
  added: Readonly<Record<string, string>>,
  repairs: Repairs,
): (served: ServedRecords) => ColumnBatch {
  const repair = repairer(repairs);
  const isAddedPlain = Object.values(added).every((text) => JSON.stringify(text) === `"${text}"`);
  const makers = schema.fields.map(({ name }) => {
    const constant = added[name];
    return constant === undefined ? valuesOf(name) : repeated(constant);
  });
  return ({ records, isPlain }) => {
    const columns = makers.map((make) => make(records));
    return columnBatch({
      schema,
      columns: isPlain && isAddedPlain ? columns : columns.map((values) => values.map(repair)),
      isPlain: isPlain && isAddedPlain,
    });
  };
}

type ColumnMaker = (records: readonly CompactRecord[]) => readonly Value[];

/** The same text for each record. */
function repeated(text: string): ColumnMaker {
  let values: string[] = [];
  return ({ length }) => {
    if (values.length !== length) values = new Array(length).fill(text);
    return values;
  };
}

const valuesOf =
  (name: string): ColumnMaker =>
  (records) => {
    const values: Value[] = new Array(records.length);
    for (let i = 0; i < records.length; i += 1) values[i] = records[i]?.[name] ?? null;
    if (name === EXTRA.name) for (const [i, extra] of values.entries()) if (isEmpty(extra)) values[i] = null;
    return values;
  };
