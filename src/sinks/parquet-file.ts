import type { StreamSchema } from '../model/schema.js';
import { VERSION } from '../version.js';
import type { RecordBatch } from './column-data.js';
import { type ChunkContext, columnChunk } from './parquet-chunk.js';
import type { Codec } from './parquet-codec.js';
import { columnOrders, schemaList } from './parquet-schema.js';
import type { RecordBatches } from './record-batches.js';
import { binary, i32, i64, list, struct, type Thrift } from './thrift.js';

/** Rows of a page: a divisor of those of a row group. */
export const PAGE_ROWS = 5_000;
/** Bounds of a row group: one of each file is in memory, compressed. */
const ROW_GROUP_ROWS = 50_000;
const ROW_GROUP_BYTES = 8 * 1024 * 1024;

const MAGIC = Buffer.from('PAR1');

/** Where pages are written before they are compressed: no page of any file waits in it. */
const PAGE = { bytes: Buffer.alloc(0), used: 0 };

/**
 * The bytes of a Parquet file, row group by row group. Its footer comes last, when all rows have been written: what ends before is no
 * file for any reader.
 */
export async function* parquetFile(
  schema: StreamSchema,
  batches: RecordBatches,
  codec: Codec,
): AsyncGenerator<Uint8Array> {
  const context = { codec: codec.id, compress: await codec.open(), page: PAGE };
  const groups: Thrift[] = [];
  let ready: Uint8Array[] = [MAGIC];
  let [rows, bytes] = [0, MAGIC.length];
  let group = rowGroup(schema, context);
  const close = (): void => {
    const { pages, metadata } = group.finish(bytes);
    ready.push(...pages);
    bytes += group.bytes();
    rows += group.rows();
    groups.push(metadata);
    group = rowGroup(schema, context);
  };
  for await (const batch of batches) {
    group.append(batch);
    if (!group.isFull()) continue;
    close();
    yield Buffer.concat(ready);
    ready = [];
  }
  if (group.rows() > 0) close();
  const footer = Buffer.from(
    struct({
      1: i32(1),
      2: schemaList(schema),
      3: i64(rows),
      4: list(groups),
      6: binary(`claude-compliance-connector ${VERSION}`),
      7: columnOrders(schema),
    }).bytes,
  );
  const length = Buffer.alloc(4);
  length.writeUInt32LE(footer.length);
  yield Buffer.concat([...ready, footer, length, MAGIC]);
}

function rowGroup({ fields }: StreamSchema, context: ChunkContext) {
  const chunks = fields.map((field) => columnChunk(field, context));
  let rows = 0;
  const bytes = (): number => chunks.reduce((sum, chunk) => sum + chunk.bytes(), 0);
  return {
    rows: () => rows,
    bytes,
    /** Whether another page might be more than it may hold. */
    isFull: () => rows + PAGE_ROWS > ROW_GROUP_ROWS || bytes() >= ROW_GROUP_BYTES,
    append(batch: RecordBatch): void {
      for (const [i, column] of batch.columns.entries()) chunks[i]?.append(column);
      rows += batch.rows;
    },
    /** Its pages, and what the footer says of them; `offset` is where it begins in the file. */
    finish(offset: number) {
      let at = offset;
      const finished = chunks.map((chunk) => {
        const done = chunk.finish(at);
        at += done.bytes;
        return done;
      });
      const plainBytes = finished.reduce((sum, chunk) => sum + chunk.plainBytes, 0);
      return {
        pages: finished.flatMap(({ pages }) => pages),
        metadata: struct({
          1: list(finished.map(({ metadata }) => metadata)),
          2: i64(plainBytes),
          3: i64(rows),
          5: i64(offset),
          6: i64(at - offset),
        }),
      };
    },
  };
}
