import { ComplianceError, SinkError } from '../errors.js';
import type { Batch } from '../model/batch.js';
import type { FieldType, StreamSchema } from '../model/schema.js';
import { chooseCompression } from './compression.js';
import { decodeParquet, inspectParquet, parquetInDuckdb } from './parquet-kind.js';
import type { SinkFormat } from './sink.js';
import { type TypedValue, typedRowReader } from './typed-row.js';

/** Bounds of a row group, which the writer holds as arrays of values. */
const ROW_GROUP_ROWS = 5000;
const ROW_GROUP_CHARACTERS = 8 * 1024 * 1024;

const COMPRESSIONS = ['snappy', 'gzip', 'none'] as const;
const CODECS = { snappy: 'SNAPPY', gzip: 'GZIP', none: 'UNCOMPRESSED' } as const;
type Codec = (typeof CODECS)[keyof typeof CODECS];

/** Parquet by a writer in plain JavaScript, as far as it can be trusted: see `docs/decisions/0012-parquet-js.md`. */
export const parquetJs: SinkFormat = {
  name: 'parquet-js',
  format: 'parquet',
  summary: 'Parquet by a writer in plain JavaScript: no zstd, no statistics, timestamps without a zone.',
  compressions: COMPRESSIONS,
  isText: false,
  duckdb: parquetInDuckdb,
  decode: decodeParquet,
  inspect: inspectParquet,
  create(options = {}) {
    const compression = chooseCompression('parquet-js', COMPRESSIONS, options.compression);
    return {
      format: 'parquet',
      extension: 'parquet',
      options: { compression },
      encode: (schema, batches) => encode(schema, batches, CODECS[compression]),
    };
  },
};

const TYPES = {
  string: 'UTF8',
  json: 'UTF8',
  timestamp: 'TIMESTAMP_MICROS',
  date: 'DATE',
  boolean: 'BOOLEAN',
} as const satisfies Record<FieldType, string>;

async function* encode(
  schema: StreamSchema,
  batches: AsyncIterable<Batch>,
  compression: Codec,
): AsyncGenerator<Uint8Array> {
  let written: Uint8Array[] = [];
  const output = {
    write(bytes: Uint8Array, done: () => void) {
      written.push(bytes);
      done();
    },
    end: (done: () => void) => done(),
  };
  const take = () => {
    const bytes = Buffer.concat(written);
    written = [];
    return bytes;
  };

  const { default: parquetjs } = await import('parquetjs-lite');
  const writer = await own(() =>
    parquetjs.ParquetWriter.openStream(
      new parquetjs.ParquetSchema(writerSchema(schema, compression)),
      output,
      {
        rowGroupSize: ROW_GROUP_ROWS,
        pageIndex: false,
      },
    ),
  );
  const readRow = typedRowReader(schema, holdsMicros);
  let characters = 0;
  for await (const batch of batches) {
    for (const row of batch) {
      const record: Record<string, unknown> = {};
      for (const [i, value] of readRow(row).entries()) {
        if (typeof value === 'string') characters += value.length;
        record[schema.fields[i]?.name ?? ''] = valueFor(value);
      }
      // The writer has no bound in bytes; a bound of one row closes the group with this row.
      if (characters >= ROW_GROUP_CHARACTERS) writer.setRowGroupSize(1);
      await own(() => writer.appendRow(record)); // without the await it would write rows twice
      if (written.length === 0) continue;
      yield take();
      characters = 0;
      writer.setRowGroupSize(ROW_GROUP_ROWS);
    }
  }
  await own(() => writer.close());
  yield take();
}

/** Statistics are left out because the writer computes wrong ones: readers would skip rows that are there. */
function writerSchema({ fields }: StreamSchema, compression: Codec) {
  return Object.fromEntries(
    fields.map(({ name, type, nullable }) => [
      name,
      { type: TYPES[type], optional: nullable, compression, statistics: false as const },
    ]),
  );
}

/** Before 1970 the writer takes only a `Date`, which counts in milliseconds. */
function holdsMicros(micros: bigint): boolean {
  return micros >= 0n || micros % 1000n === 0n;
}

function valueFor(value: TypedValue): unknown {
  if (typeof value === 'number') return new Date(value * 86_400_000);
  if (typeof value === 'bigint' && value < 0n) return new Date(Number(value / 1000n));
  return value;
}

/** The writer throws strings. */
async function own<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    if (cause instanceof ComplianceError) throw cause;
    throw new SinkError('The Parquet writer in JavaScript cannot write a row.', {
      code: 'parquet_js_failed',
      cause,
    });
  }
}
