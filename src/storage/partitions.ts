import { appendFile, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { StorageError } from '../errors.js';
import { storageError } from './local-error.js';

const OWNER_ONLY = 0o600;

export interface PartitionsOptions {
  /** How many parts the lines are divided into; one at a time is in memory. Default 256. */
  count?: number;
  /** Characters of a part that stay in memory before they are written. Default 32,768: 8 MiB in all. */
  buffered?: number;
  /** What the names of its files begin with. Default `partition`. */
  name?: string;
}

/** Characters between two calls of `spill`. */
const DUE = 2 ** 20;

/** One part: what is on disk comes first. */
interface Part {
  path: string;
  onDisk: number;
  buffer: string[];
  characters: number;
}

/**
 * Lines that are set aside by a key, more of them than fit into memory: those of one key come back together, in the order
 * in which they were added. They are in files of a folder for their owner only; a few lines never leave the memory.
 */
export class Partitions {
  readonly #parts: readonly Part[];
  readonly #buffered: number;
  #added = 0;

  /** @param folder that is there, and in which nobody else uses the name */
  constructor(
    folder: string,
    { count = 256, buffered = 32_768, name = 'partition' }: PartitionsOptions = {},
  ) {
    this.#buffered = buffered;
    this.#parts = Array.from({ length: count }, (_, index) => ({
      path: join(folder, `${name}-${String(index).padStart(5, '0')}`),
      onDisk: 0,
      buffer: [],
      characters: 0,
    }));
  }

  /** @param line without a line end */
  add(key: string, line: string): void {
    const part = this.#parts[hashOf(key) % this.#parts.length] as Part;
    part.buffer.push(line);
    part.characters += line.length;
    this.#added += line.length;
  }

  /** Whether so much was added that `spill` is to be called. */
  get isDue(): boolean {
    return this.#added > DUE;
  }

  /** Writes what is too much for the memory. To be called every few thousand lines, or when it is due. @throws StorageError */
  async spill(): Promise<void> {
    this.#added = 0;
    for (const part of this.#parts) {
      if (part.characters <= this.#buffered) continue;
      const lines = part.buffer;
      part.buffer = [];
      part.characters = 0;
      try {
        await appendFile(part.path, `${lines.join('\n')}\n`, { mode: OWNER_ONLY });
      } catch (error) {
        throw storageError('writing', part.path, error);
      }
      part.onDisk += lines.length;
    }
  }

  /** The lines of one part after the other; parts without lines are left out. @throws StorageError `scratch_differs` */
  async *read(): AsyncGenerator<string[]> {
    for (const part of this.#parts) {
      const lines = part.onDisk > 0 ? await linesOf(part) : [];
      for (const line of part.buffer) lines.push(line);
      if (lines.length > 0) yield lines;
    }
  }

  /** Removes the files: what was added is gone. */
  async remove(): Promise<void> {
    for (const { path, onDisk } of this.#parts) if (onDisk > 0) await rm(path, { force: true });
  }
}

async function linesOf({ path, onDisk }: Part): Promise<string[]> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    throw storageError('reading', path, error);
  }
  const lines = text.split('\n');
  if (lines.pop() === '' && lines.length === onDisk) return lines;
  throw new StorageError(
    `${path} does not hold the ${onDisk} lines that were written: another program has changed it.`,
    { code: 'scratch_differs' },
  );
}

/** FNV-1a, 32 bits, over UTF-16 units: the same on every machine. */
function hashOf(text: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i += 1) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  return (hash ^ (hash >>> 15)) >>> 0;
}
