import { Readable } from 'node:stream';
import { AbortedError } from '../errors.js';

export type { Readable };

/**
 * A Readable of records over pages. It buffers one record and holds one page, so at most one page beyond the one being
 * consumed is asked for; destroying it aborts the request in flight.
 */
export function recordReadable<R>(
  open: (signal: AbortSignal) => AsyncIterable<{ readonly records: readonly R[] }>,
  signal?: AbortSignal,
): Readable {
  const controller = new AbortController();
  const pages = open(controller.signal)[Symbol.asyncIterator]();
  let records: readonly R[] = [];
  let at = 0;

  const readable = new Readable({
    objectMode: true,
    highWaterMark: 1,
    read() {
      while (at < records.length) {
        const record = records[at];
        at += 1;
        if (!this.push(record)) return;
      }
      pages.next().then(
        ({ done, value }) => {
          if (this.destroyed) return;
          if (done) {
            this.push(null);
            return;
          }
          records = value.records;
          at = 0;
          this._read(1);
        },
        (error: Error) => this.destroy(error),
      );
    },
    destroy(error, callback) {
      signal?.removeEventListener('abort', abort);
      controller.abort(error ?? undefined);
      const closed = () => callback(error);
      Promise.resolve(pages.return?.()).then(closed, closed);
    },
  });
  const abort = () => {
    readable.destroy(
      new AbortedError('The stream was given up, because its signal was aborted.', signal?.reason),
    );
  };
  if (signal?.aborted) abort();
  else signal?.addEventListener('abort', abort, { once: true });
  return readable;
}
