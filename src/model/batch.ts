import { decodedJson } from './raw-json.js';
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
  /** Whether its texts are raw, see `raw-text`; those of its rows never are. */
  readonly isRaw: boolean;
  slice(from: number, to: number): ColumnBatch;
}

/** The records of one page. */
export interface ServedRecords {
  readonly records: CompactRecord[];
  /** Whether the page held no escape: then no text in it needs one, and none has a lone surrogate. */
  readonly isPlain: boolean;
  /** Whether their texts are raw. */
  readonly isRaw: boolean;
}

/** Makes a batch of columns. */
export function columnBatch(
  batch: Pick<ColumnBatch, 'schema' | 'columns' | 'isPlain' | 'isRaw'>,
): ColumnBatch {
  const { schema, columns, isRaw } = batch;
  const length = columns[0]?.length ?? 0;
  return {
    ...batch,
    length,
    slice: (from, to) => columnBatch({ ...batch, columns: columns.map((values) => values.slice(from, to)) }),
    *[Symbol.iterator]() {
      for (let i = 0; i < length; i += 1) {
        const row: Record<string, Value> = {};
        for (const [at, { name }] of schema.fields.entries()) {
          const value = columns[at]?.[i] as Value;
          row[name] = isRaw ? decodedJson(value) : value;
        }
        yield row;
      }
    },
  };
}

/** Forgets the values of a batch that was dealt with: whoever still refers to it must not hold them while a page is requested. */
export function release({ columns }: ColumnBatch): void {
  for (const values of columns) (values as Value[]).length = 0;
}

/** The same as `rowMaker`, for the records of a page at once: no row is made, and the records are taken out of the page. */
export function batchMaker(
  schema: StreamSchema,
  added: Readonly<Record<string, string>>,
  repairs: Repairs,
): (served: ServedRecords) => ColumnBatch {
  const repair = repairer(repairs);
  const isAddedPlain = Object.values(added).every((text) => PLAIN_ASCII.test(text));
  const makers = schema.fields.map(({ name }) => {
    const constant = added[name];
    return constant === undefined ? valuesOf(name) : repeated(constant);
  });
  return ({ records: served, isPlain, isRaw }) => {
    const records = served.splice(0);
    const columns = makers.map((make) => make(records));
    if (isPlain && isAddedPlain) return columnBatch({ schema, columns, isPlain, isRaw });
    const decode = isRaw ? decodedJson : (value: Value) => value;
    const repaired = columns.map((values) => values.map((value) => repair(decode(value))));
    return columnBatch({ schema, columns: repaired, isPlain: false, isRaw: false });
  };
}

/** Ids and dates: their own raw text, which needs no escape. */
const PLAIN_ASCII = /^[ !#-[\]-~]*$/;

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
