import {
  RecordBatch as ArrowBatch,
  AsyncByteQueue,
  type DataType,
  makeData,
  RecordBatchFileWriter,
  RecordBatchReader,
  Struct,
} from 'apache-arrow';
import type { StreamSchema } from '../model/schema.js';
import { arrowSchemaOf } from './arrow-schema.js';
import type { FileContent } from './inspect.js';
import type { RecordBatches } from './record-batches.js';

/** The bytes of an Arrow file. */
export async function* arrowFile(schema: StreamSchema, batches: RecordBatches): AsyncGenerator<Uint8Array> {
  const arrowSchema = arrowSchemaOf(schema); // one for all batches of a file: a writer drops a batch with another one
  const written = new Written();
  const writer = new RecordBatchFileWriter();
  writer.reset(written, arrowSchema); // otherwise a file without a batch would have no bytes
  for await (const { rows, columns } of batches) {
    const children = columns.map(({ values, ...column }, i) =>
      makeData<DataType>({ type: arrowSchema.fields[i]?.type, data: values, ...column } as never),
    );
    const data = makeData({ type: new Struct(arrowSchema.fields), length: rows, nullCount: 0, children });
    writer.write(new ArrowBatch(arrowSchema, data));
    yield written.take();
  }
  writer.close();
  yield written.take();
}

/** What an Arrow file says about itself. */
export function inspectArrow(file: Uint8Array): FileContent {
  const reader = RecordBatchReader.from(file).open();
  const columns = reader.schema.fields.map(({ name }) => name); // unavailable once the reader has reached its end
  let rows = 0;
  for (const batch of reader) rows += batch.numRows;
  return { rows, columns };
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
