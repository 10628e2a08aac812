import { SinkError } from '../errors.js';
import type { Batch } from '../model/batch.js';
import type { StreamSchema } from '../model/schema.js';
import type { Sink } from '../sinks/sink.js';
import type { Written } from '../storage/storage.js';

/** One format that rows are written in, and what takes its bytes. */
export interface Output {
  sink: Sink;
  write(bytes: AsyncIterable<Uint8Array>): Promise<Written>;
}

/** The same rows on their way into a file of each format. It holds no rows itself. */
export interface FanOut {
  /** How many rows have been added. */
  readonly rows: number;
  /** Resolves when every format has taken the rows: the slowest sets the pace. @throws what a format throws */
  add(batch: Batch): Promise<void>;
  /** Resolves when every file is finished, in the order of the outputs. */
  close(): Promise<Written[]>;
  /** Ends every file early; what was written of them is useless. */
  abandon(reason: unknown): Promise<void>;
}

export function fanOut(schema: StreamSchema, outputs: readonly Output[]): FanOut {
  const branches = outputs.map(({ sink, write }) => {
    const channel = new Channel<Batch>();
    const written = write(sink.encode(schema, channel));
    // The next `add` or `close` throws it; a sink that ends before it has taken every row has lost some.
    written.then(() => channel.leave(endedEarly(sink)), channel.leave.bind(channel));
    return { channel, written };
  });
  let rows = 0;
  return {
    get rows() {
      return rows;
    },
    async add(batch) {
      await Promise.all(branches.map(({ channel }) => channel.send(batch)));
      rows += batch.length;
    },
    async close() {
      for (const { channel } of branches) channel.end();
      const written: Written[] = [];
      for (const branch of branches) written.push(await branch.written);
      return written;
    },
    async abandon(reason) {
      for (const { channel } of branches) channel.end(reason);
      await Promise.allSettled(branches.map(({ written }) => written));
    },
  };
}

const endedEarly = ({ format }: Sink): SinkError =>
  new SinkError(`The sink ${format} ended a file before it had taken every row of it.`, {
    code: 'sink_ended_early',
  });

/**
 * Hands values from a writer to one reader, one at a time: `send` resolves when the reader has come back for
 * more. When the reader has left, `send` rejects with its reason, and never waits.
 */
class Channel<T> implements AsyncIterable<T> {
  #offered: { value: T; taken: () => void; refused: (reason: unknown) => void } | undefined;
  #wake: (() => void) | undefined;
  #ended: { error?: unknown } | undefined;
  #left: { reason: unknown } | undefined;

  async send(value: T): Promise<void> {
    if (this.#left) throw this.#left.reason;
    await new Promise<void>((taken, refused) => {
      this.#offered = { value, taken, refused };
      this.#wake?.();
    });
  }

  /** No more values. With an error, the reader's loop throws it. */
  end(error?: unknown): void {
    this.#ended ??= { error };
    this.#wake?.();
  }

  leave(reason: unknown): void {
    this.#left ??= { reason };
    this.#offered?.refused(reason);
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<T> {
    while (true) {
      if (this.#ended && this.#ended.error !== undefined) throw this.#ended.error;
      const offer = this.#offered;
      if (offer) {
        yield offer.value;
        this.#offered = undefined;
        offer.taken();
      } else if (this.#ended) {
        return;
      } else {
        await new Promise<void>((wake) => {
          this.#wake = wake;
        });
      }
    }
  }
}
