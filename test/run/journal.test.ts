import { appendFile, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Journal } from '../../src/run/journal.js';
import { temporaryFolder } from './support/temporary-folder.js';

interface Line {
  text: string;
}

async function linesOf(path: string): Promise<Line[]> {
  const { journal, lines } = await Journal.open<Line>(path);
  await journal.close();
  return lines;
}

/** A write of which only a part reaches the disk, as on one that is full; there is room again afterwards. */
function tearNextAppend(journal: Journal<Line>, written: number): void {
  const append = journal.file.appendFile.bind(journal.file);
  journal.file.appendFile = async (text) => {
    journal.file.appendFile = append;
    await append(String(text).slice(0, written));
    throw Object.assign(new Error('ENOSPC: no space left'), { code: 'ENOSPC', syscall: 'write' });
  };
}

describe('a journal', () => {
  it('holds what was appended, in order, also by several at once', async () => {
    await using folder = await temporaryFolder();
    const path = join(folder.path, 'journal.ndjson');
    const { journal, lines } = await Journal.open<Line>(path);
    expect(lines).toEqual([]);
    const appended = Array.from({ length: 50 }, (_, i) => ({ text: `${i}` }));
    await Promise.all(appended.map((line) => journal.append(line)));
    await journal.close();
    expect(await linesOf(path)).toEqual(appended);
  });

  it('has a line on the disk when its append resolves', async () => {
    await using folder = await temporaryFolder();
    const path = join(folder.path, 'journal.ndjson');
    const { journal } = await Journal.open<Line>(path);
    await journal.append({ text: 'ü\n' });
    expect(await readFile(path, 'utf8')).toBe('{"text":"ü\\n"}\n');
    await journal.close();
  });

  it('that is opened again is another file: who had it open before adds to one that nobody reads', async () => {
    await using folder = await temporaryFolder();
    const path = join(folder.path, 'journal.ndjson');
    const { journal: asleep } = await Journal.open<Line>(path);
    await asleep.append({ text: 'before' });
    const { journal, lines } = await Journal.open<Line>(path);
    await asleep.append({ text: 'too late' });
    await journal.append({ text: 'after' });
    for (const opened of [asleep, journal]) await opened.close();
    expect([...lines, { text: 'after' }]).toEqual(await linesOf(path));
  });

  it('drops a last line that was not finished, wherever it was cut', async () => {
    await using folder = await temporaryFolder();
    const path = join(folder.path, 'journal.ndjson');
    const appended = [{ text: 'one' }, { text: 'zwö' }, { text: '三' }];
    const bytes = Buffer.from(appended.map((line) => `${JSON.stringify(line)}\n`).join(''));
    for (let length = 0; length <= bytes.byteLength; length += 1) {
      await writeFile(path, bytes.subarray(0, length));
      const ended = bytes.subarray(0, length).filter((byte) => byte === 0x0a).byteLength;
      expect([length, await linesOf(path)]).toEqual([length, appended.slice(0, ended)]);
    }
  });

  it('that holds a line which is no JSON is refused, with the advice to discard the run', async () => {
    await using folder = await temporaryFolder();
    const path = join(folder.path, 'journal.ndjson');
    await writeFile(path, '{"text":"one"}\n{"te\n');
    await expect(Journal.open(path)).rejects.toMatchObject({ code: 'journal_invalid' });
    await expect(Journal.open(path)).rejects.toThrow('--fresh');
  });
});

describe('an append that fails in the middle of a line', () => {
  it('is the last one: nothing is appended after half a line, and everything before it is kept', async () => {
    await fc.assert(
      fc.asyncProperty(fc.nat(3), fc.nat(16), async (before, written) => {
        await using folder = await temporaryFolder();
        const path = join(folder.path, 'journal.ndjson');
        const { journal } = await Journal.open<Line>(path);
        const kept = Array.from({ length: before }, (_, i) => ({ text: `${i}` }));
        for (const line of kept) await journal.append(line);
        tearNextAppend(journal, written);
        const lost = ['torn', 'later', 'last'].map((text) => journal.append({ text }));
        for (const result of await Promise.allSettled(lost))
          expect(result).toMatchObject({ status: 'rejected', reason: { code: 'storage_enospc' } });
        await expect(journal.append({ text: 'afterwards' })).rejects.toMatchObject({
          code: 'storage_enospc',
        });
        await journal.close();
        const isFinished = written > JSON.stringify({ text: 'torn' }).length;
        expect(await linesOf(path)).toEqual(isFinished ? [...kept, { text: 'torn' }] : kept);
      }),
      { numRuns: 30 },
    );
  });

  it('leaves a file to which the next process adds after the last finished line', async () => {
    await using folder = await temporaryFolder();
    const path = join(folder.path, 'journal.ndjson');
    await writeFile(path, '{"text":"one"}\n{"te');
    const { journal } = await Journal.open<Line>(path);
    await journal.append({ text: 'two' });
    await journal.close();
    await appendFile(path, '{"text":"thr');
    expect(await linesOf(path)).toEqual([{ text: 'one' }, { text: 'two' }]);
  });
});
