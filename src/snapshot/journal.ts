import { type FileHandle, open, readFile, rename } from 'node:fs/promises';
import { StorageError } from '../errors.js';

/**
 * A file of JSON lines that is only added to. A line is on the disk when `append` resolves; a line that was cut
 * by the end of its process is left out when the journal is opened again. Opening makes a new file of the same lines,
 * so that a process that was believed dead, and wakes up, adds to one that nobody reads.
 */
export class Journal<Line> {
  private constructor(readonly file: FileHandle) {}

  /** @throws StorageError `journal_invalid` */
  static async open<Line>(path: string): Promise<{ journal: Journal<Line>; lines: Line[] }> {
    const bytes = await readFile(path).catch((error) => {
      if (error.code === 'ENOENT') return Buffer.alloc(0);
      throw error;
    });
    const whole = bytes.subarray(0, bytes.lastIndexOf('\n') + 1);
    const lines = parse<Line>(whole.toString('utf8'), path);
    const file = await open(`${path}.new`, 'w', 0o600);
    try {
      await file.appendFile(whole);
      await file.sync();
      await rename(`${path}.new`, path);
    } catch (error) {
      await file.close();
      throw error;
    }
    return { lines, journal: new Journal(file) };
  }

  async append(line: Line): Promise<void> {
    await this.file.appendFile(`${JSON.stringify(line)}\n`);
    await this.file.datasync();
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
