import type { Row } from '../../src/model/rows.js';
import type { StreamSchema } from '../../src/model/schema.js';
import type { Sink } from '../../src/sinks/sink.js';

/** The bytes of a whole file. */
export async function encoded(
  sink: Sink,
  schema: StreamSchema,
  batches: AsyncIterable<readonly Row[]>,
): Promise<Buffer> {
  return await collected(sink.encode(schema, batches));
}

/** All bytes in one piece. */
export async function collected(bytes: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of bytes) chunks.push(chunk);
  return Buffer.concat(chunks);
}

/** Batches as they would come from pages. */
export async function* inBatches(batches: readonly (readonly Row[])[]): AsyncGenerator<readonly Row[]> {
  yield* batches;
}
