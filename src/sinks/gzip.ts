import { createGzip } from 'node:zlib';

/**
 * Compresses bytes as they come. One chunk goes in at a time, and all its output is taken out before the next one,
 * so no more than that is in memory.
 */
export async function* gzip(bytes: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const deflater = createGzip();
  let ready: Uint8Array[] = [];
  const takeReady = () => {
    const taken = ready;
    ready = [];
    return taken;
  };
  deflater.on('data', (chunk: Uint8Array) => ready.push(chunk));
  deflater.on('error', () => {}); // `write` and `end` report it too
  try {
    for await (const chunk of bytes) {
      await new Promise<void>((resolve, reject) => {
        deflater.write(chunk, (error) => (error ? reject(error) : resolve()));
      });
      yield* takeReady();
    }
    await new Promise<void>((resolve, reject) => {
      deflater.once('end', resolve).once('error', reject).end();
    });
    yield* takeReady();
  } finally {
    deflater.destroy();
  }
}

/** The reverse. @throws when the bytes are not gzip, or are truncated */
export function gunzip(bytes: AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array> {
  return ReadableStream.from(bytes).pipeThrough(new DecompressionStream('gzip'));
}
