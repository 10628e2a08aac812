import { StorageError } from '../../../src/errors.js';
import { MemoryStorage } from './memory-storage.js';

/** `created`: the object was created, and the answer is lost. */
export type Call = 'create' | 'created' | 'put' | 'remove';
export type Fails = (call: Call, key: string) => boolean;

/** A root in memory of which some calls fail. */
export class FailingStorage extends MemoryStorage {
  fails: Fails = () => false;

  override async create(key: string, bytes: Uint8Array): Promise<boolean> {
    this.#check('create', key);
    const isCreated = await super.create(key, bytes);
    this.#check('created', key);
    return isCreated;
  }

  override async put(...[files, signal]: Parameters<MemoryStorage['put']>): Promise<void> {
    for (const file of files) {
      this.#check('put', file.key);
      await super.put([file], signal);
    }
  }

  override async remove(key: string): Promise<void> {
    this.#check('remove', key);
    await super.remove(key);
  }

  #check(call: Call, key: string): void {
    if (this.fails(call, key)) throw new StorageError('No answer.', { code: 'unreachable' });
  }
}

/** Fails at the first call that fits. */
export function failOnce(fits: Fails): Fails {
  let hasFailed = false;
  return (call, key) => {
    if (hasFailed || !fits(call, key)) return false;
    hasFailed = true;
    return true;
  };
}
