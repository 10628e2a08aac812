/**
 * Hands values from a writer to one reader, one at a time: `send` resolves when the reader has come back for
 * more, so a slow sink slows the pages down. When the reader stops early, `send` rejects with the reason that
 * `close` is given, and never waits.
 */
export class Channel<T> implements AsyncIterable<T> {
  #offered: { value: T; taken: () => void; refused: (reason: unknown) => void } | undefined;
  #wake: (() => void) | undefined;
  #state: { ended: true; error?: unknown } | undefined;
  #reader: { gone: true; reason: unknown } | undefined;

  /** Resolves when the value was used up. Not to be called again before that. */
  async send(value: T): Promise<void> {
    if (this.#reader) throw this.#reader.reason;
    await new Promise<void>((taken, refused) => {
      this.#offered = { value, taken, refused };
      this.#wake?.();
    });
  }

  /** No more values. With an error, the reader's loop throws it. */
  end(error?: unknown): void {
    this.#state ??= { ended: true, error };
    this.#wake?.();
  }

  /** The reader has gone, and why. */
  close(reason: unknown): void {
    this.#reader ??= { gone: true, reason };
    this.#offered?.refused(reason);
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<T> {
    while (true) {
      if (this.#state && this.#state.error !== undefined) throw this.#state.error;
      const offer = this.#offered;
      if (offer) {
        yield offer.value;
        this.#offered = undefined;
        offer.taken();
      } else if (this.#state) {
        return;
      } else {
        await new Promise<void>((wake) => {
          this.#wake = wake;
        });
      }
    }
  }
}
