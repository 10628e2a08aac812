import type { FinishedFile, Storage, StoredObject, Written } from '../../../src/storage/storage.js';

/** When a process dies: before or after one of the changes that it makes, counted from 1. */
export interface Death {
  at: number;
  when: 'before' | 'after';
}

/** A storage whose user dies at one of its changes: from then on every call fails. */
export class DyingStorage implements Storage {
  readonly location: string;
  /** How many changes were made or tried. */
  changes = 0;
  #isDead = false;

  constructor(
    readonly storage: Storage,
    readonly death: Death = { at: 0, when: 'before' },
  ) {
    this.location = storage.location;
  }

  async *read(key: string): AsyncGenerator<Uint8Array> {
    this.#check();
    yield* this.storage.read(key);
  }

  async *list(folder: string): AsyncGenerator<StoredObject> {
    this.#check();
    yield* this.storage.list(folder);
  }

  async write(key: string, bytes: AsyncIterable<Uint8Array>): Promise<Written> {
    return await this.#step(() => this.storage.write(key, bytes));
  }

  async create(key: string, bytes: Uint8Array): Promise<boolean> {
    return await this.#step(() => this.storage.create(key, bytes));
  }

  async put(files: readonly FinishedFile[], signal?: AbortSignal): Promise<void> {
    for (const file of files) await this.#step(() => this.storage.put([file], signal));
  }

  async remove(key: string): Promise<void> {
    await this.#step(() => this.storage.remove(key));
  }

  #check(): void {
    if (this.#isDead) throw new Error('died');
  }

  async #step<T>(change: () => Promise<T>): Promise<T> {
    this.#check();
    this.changes += 1;
    const { at, when } = this.death;
    if (this.changes !== at) return await change();
    if (when === 'after') await change();
    this.#isDead = true;
    throw new Error('died');
  }
}
