import type { Row } from '../../src/rows.js';
import type { StreamSchema } from '../../src/schema.js';
import type { Sink } from '../../src/sinks/sink.js';

/** The bytes of a whole file. */
export async function encoded(
  sink: Sink,
  schema: StreamSchema,
  batches: AsyncIterable<readonly Row[]>,
): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of sink.encode(schema, batches)) chunks.push(chunk);
  return Buffer.concat(chunks);
}

/** Batches as they would come from pages. */
export async function* inBatches(batches: readonly (readonly Row[])[]): AsyncGenerator<readonly Row[]> {
  yield* batches;
}
