import { type FileHandle, open, readFile, truncate } from 'node:fs/promises';
import { StorageError } from '../errors.js';

/**
 * A file of JSON lines that is only added to. A line is on the disk when `append` resolves; a line that was cut
 * by the end of its process is taken away when the journal is opened again.
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
    if (whole.length < bytes.length) await truncate(path, whole.length);
    return {
      lines: parse<Line>(whole.toString('utf8'), path),
      journal: new Journal(await open(path, 'a', 0o600)),
    };
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
