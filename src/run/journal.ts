import { type FileHandle, open, readFile, rename } from 'node:fs/promises';
import { StorageError } from '../errors.js';
import { storageError } from '../storage/local-error.js';

/**
 * A file of JSON lines that is only added to. A line is on the disk when `append` resolves. Opening makes a new file of
 * the same lines, so that a process that was believed dead, and wakes up, adds to one that nobody reads.
 */
export class Journal<Line> {
  /** The appends so far, one after the other; rejected for good once one has failed. */
  #appended: Promise<void> = Promise.resolve();

  private constructor(
    readonly path: string,
    readonly file: FileHandle,
  ) {}

  /**
   * A last line without its end was being written when its process ended: it is left out.
   * @throws StorageError `journal_invalid`
   */
  static async open<Line>(path: string): Promise<{ journal: Journal<Line>; lines: Line[] }> {
    const bytes = await readFile(path).catch((error) => {
      if (error.code === 'ENOENT') return Buffer.alloc(0);
      throw error;
    });
    const complete = bytes.subarray(0, bytes.lastIndexOf('\n') + 1);
    const lines = parse<Line>(complete.toString('utf8'), path);
    const file = await open(`${path}.new`, 'w', 0o600);
    try {
      await file.appendFile(complete);
      await file.sync();
      await rename(`${path}.new`, path);
    } catch (error) {
      await file.close();
      throw error;
    }
    return { lines, journal: new Journal(path, file) };
  }

  /** After an append that failed nothing more is appended: half a line may be there, and a line after it would be lost. */
  async append(line: Line): Promise<void> {
    this.#appended = this.#appended.then(async () => {
      await this.file.appendFile(`${JSON.stringify(line)}\n`);
      await this.file.datasync();
    });
    this.#appended.catch(() => undefined); // thrown to whoever appends
    await this.#appended.catch((error: unknown) => {
      throw storageError('writing', this.path, error);
    });
  }

  async close(): Promise<void> {
    await this.file.close();
  }
}

function parse<Line>(text: string, path: string): Line[] {
  try {
    return text
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as Line);
  } catch (cause) {
    throw new StorageError(`${path} is damaged; discard this unfinished run with --fresh.`, {
      code: 'journal_invalid',
      cause,
    });
  }
}
