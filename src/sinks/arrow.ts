import { AsyncByteQueue, RecordBatchFileWriter, RecordBatchReader } from 'apache-arrow';
import type { StreamSchema } from '../model/schema.js';
import {
  arrowSchemaOf,
  type ColumnBlock,
  columnBlocks,
  type RecordBatches,
  recordBatches,
  regrouped,
} from './columns.js';
import { chooseCompression } from './compression.js';
import { decodeColumns } from './decode-columns.js';
import { collect } from './inspect.js';
import type { SinkFormat } from './sink.js';

const COMPRESSIONS = ['none'] as const;

/** The Arrow IPC file format (also known as Feather 2), not compressed. A truncated file is invalid; a stream would not be. */
export const arrow: SinkFormat = {
  name: 'arrow',
  format: 'arrow',
  summary: 'Arrow IPC file (Feather 2) with true types, not compressed.',
  compressions: COMPRESSIONS,
  isText: false,
  async *decode(schema, bytes) {
    yield* decodeColumns(schema, await collect(bytes));
  },
  async inspect(bytes) {
    const reader = RecordBatchReader.from(await collect(bytes)).open();
    const columns = reader.schema.fields.map(({ name }) => name); // unavailable once the reader has reached its end
    let rows = 0;
    for (const batch of reader) rows += batch.numRows;
    return { rows, columns };
  },
  create(options = {}) {
    const compression = chooseCompression('arrow', COMPRESSIONS, options.compression);
    return {
      format: 'arrow',
      extension: 'arrow',
      options: { compression },
      encode: (schema, batches) => fileOf(schema, recordBatches(schema, batches)),
      regroup: {
        split: async function* (schema, bytes) {
          yield* columnBlocks(schema, await collect(bytes));
        },
        join: (schema, blocks: AsyncIterable<ColumnBlock>) => fileOf(schema, regrouped(schema, blocks)),
      },
    };
  },
};

async function* fileOf(schema: StreamSchema, batches: RecordBatches): AsyncGenerator<Uint8Array> {
  const written = new Written();
  const writer = new RecordBatchFileWriter();
  writer.reset(written, arrowSchemaOf(schema)); // otherwise a file without a batch would have no bytes
  for await (const batch of batches) {
    writer.write(batch);
    yield written.take();
  }
  writer.close();
  yield written.take();
}

/** Takes the writer's bytes as they are made; the library's own queue for streams has no bound. */
class Written extends AsyncByteQueue {
  #chunks: Uint8Array[] = [];

  override write(chunk: Uint8Array): void {
    this.#chunks.push(chunk);
  }

  take(): Uint8Array {
    const bytes = Buffer.concat(this.#chunks);
    this.#chunks = [];
    return bytes;
  }
}
