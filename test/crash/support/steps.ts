import type { FinishedFile, Storage, StoredObject, Written } from '../../../src/index.js';

/** One operation that changes a root. */
export interface Step {
  /** Of the operations of one process, counted from 1. */
  number: number;
  operation: 'write' | 'create' | 'put' | 'remove';
  key: string;
  /** What is written; absent when something is removed. */
  bytes?: Buffer;
  /** The file that is put. */
  file?: FinishedFile;
}

export interface Gate {
  /** Performs the step, or does not. */
  around<T>(step: Step, perform: () => Promise<T>): Promise<T>;
  /** Before anything is read or listed. */
  beforeRead?(key: string): void | Promise<void>;
}

/** A storage whose every change goes through a gate: each file of a put is a step of its own. */
export function stepwise(inner: Storage, { around, beforeRead = () => {} }: Gate): Storage {
  let count = 0;
  const step = <T>(details: Omit<Step, 'number'>, perform: () => Promise<T>): Promise<T> => {
    count += 1;
    return around({ number: count, ...details }, perform);
  };
  return {
    location: inner.location,
    ...(inner.localRoot !== undefined && { localRoot: inner.localRoot }),
    async *read(key): AsyncGenerator<Uint8Array> {
      await beforeRead(key);
      yield* inner.read(key);
    },
    async *list(folder): AsyncGenerator<StoredObject> {
      await beforeRead(folder);
      yield* inner.list(folder);
    },
    async write(key, bytes): Promise<Written> {
      const chunks: Uint8Array[] = [];
      for await (const chunk of bytes) chunks.push(chunk);
      const whole = Buffer.concat(chunks);
      return await step({ operation: 'write', key, bytes: whole }, () => inner.write(key, once(whole)));
    },
    create: (key, bytes) =>
      step({ operation: 'create', key, bytes: Buffer.from(bytes) }, () => inner.create(key, bytes)),
    async put(files, signal) {
      for (const file of files)
        await step({ operation: 'put', key: file.key, file }, () => inner.put([file], signal));
    },
    remove: (key) => step({ operation: 'remove', key }, () => inner.remove(key)),
  };
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}
