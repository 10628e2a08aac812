import type { Scheduler } from 'fast-check';
import type { FinishedFile, Storage, StoredObject, Written } from '../../../src/storage/storage.js';

/** A storage whose calls end in the order that a scheduler chooses: two runs over it meet in every possible way. */
export class ScheduledStorage implements Storage {
  readonly location: string;

  constructor(
    readonly storage: Storage,
    readonly scheduler: Scheduler,
    readonly name: string,
  ) {
    this.location = storage.location;
  }

  async *read(key: string): AsyncGenerator<Uint8Array> {
    await this.#turn(`read ${key}`);
    yield* this.storage.read(key);
  }

  async *list(folder: string): AsyncGenerator<StoredObject> {
    await this.#turn(`list ${folder}`);
    yield* this.storage.list(folder);
  }

  async write(key: string, bytes: AsyncIterable<Uint8Array>): Promise<Written> {
    await this.#turn(`write ${key}`);
    return await this.storage.write(key, bytes);
  }

  async create(key: string, bytes: Uint8Array): Promise<boolean> {
    await this.#turn(`create ${key}`);
    return await this.storage.create(key, bytes);
  }

  async put(files: readonly FinishedFile[], signal?: AbortSignal): Promise<void> {
    for (const file of files) {
      await this.#turn(`put ${file.key}`);
      await this.storage.put([file], signal);
    }
  }

  async remove(key: string): Promise<void> {
    await this.#turn(`remove ${key}`);
    await this.storage.remove(key);
  }

  async #turn(label: string): Promise<void> {
    await this.scheduler.schedule(Promise.resolve(), `${this.name}: ${label}`);
  }
}
