import { appendFile, readdir, stat, truncate } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Partitions } from '../../src/storage/partitions.js';
import { temporaryFolder } from '../run/support/temporary-folder.js';

const linesIn = async (partitions: Partitions): Promise<string[][]> => {
  const all: string[][] = [];
  for await (const lines of partitions.read()) all.push(lines);
  return all;
};

describe('lines that are set aside', () => {
  it('come back once each, those of one key together and in their order, from disk or from memory', async () => {
    const line = fc.tuple(fc.string({ unit: 'grapheme', maxLength: 3 }), fc.string({ unit: 'grapheme' }));
    await fc.assert(
      fc.asyncProperty(
        fc.array(line, { maxLength: 60 }),
        fc.integer({ min: 1, max: 5 }),
        fc.integer({ min: 0, max: 80 }),
        async (lines, count, buffered) => {
          await using folder = await temporaryFolder();
          const partitions = new Partitions(folder.path, { count, buffered });
          const added = lines.map(([key, text], i) => JSON.stringify([key, text, i]));
          for (const [i, [key]] of lines.entries()) {
            partitions.add(key, added[i] as string);
            if (i % 3 === 0) await partitions.spill();
          }
          const found = await linesIn(partitions);
          expect(found.length).toBeLessThanOrEqual(count);
          expect(found.flat().sort()).toEqual([...added].sort());
          const keys = found.map((part) => new Set(part.map((text) => JSON.parse(text)[0] as string)));
          expect(keys.reduce((sum, { size }) => sum + size, 0)).toBe(new Set(lines.map(([key]) => key)).size);
          for (const part of found) {
            const places = part.map((text) => JSON.parse(text)[2] as number);
            expect(places).toEqual([...places].sort((a, b) => a - b));
          }
        },
      ),
      { numRuns: 150 },
    );
  });

  it('are in memory while they are few, and then in files for their owner only', async () => {
    await using folder = await temporaryFolder();
    const partitions = new Partitions(folder.path, { count: 4, buffered: 1000 });
    for (let i = 0; i < 40; i += 1) partitions.add(`key ${i}`, 'x'.repeat(20));
    await partitions.spill();
    expect(await readdir(folder.path)).toEqual([]);
    for (let i = 0; i < 400; i += 1) partitions.add(`key ${i}`, 'x'.repeat(20));
    await partitions.spill();
    const names = await readdir(folder.path);
    expect(names.length).toBe(4);
    for (const name of names) expect((await stat(join(folder.path, name))).mode & 0o777).toBe(0o600);
    expect((await linesIn(partitions)).flat()).toHaveLength(440);
  });

  it.each([
    ['a line was added', (path: string) => appendFile(path, 'another\n')],
    ['it was cut', (path: string) => truncate(path, 5)],
    ['it was emptied', (path: string) => truncate(path, 0)],
  ])('are refused when a file has changed: %s', async (_, change) => {
    await using folder = await temporaryFolder();
    const partitions = new Partitions(folder.path, { count: 1, buffered: 0 });
    for (const line of ['one', 'two', 'three']) partitions.add('key', line);
    await partitions.spill();
    const [name = ''] = await readdir(folder.path);
    await change(join(folder.path, name));
    await expect(linesIn(partitions)).rejects.toMatchObject({ code: 'scratch_differs' });
  });

  it('fail with advice where their folder is gone', async () => {
    await using folder = await temporaryFolder();
    const partitions = new Partitions(join(folder.path, 'gone'), { buffered: 0 });
    partitions.add('key', 'line');
    await expect(partitions.spill()).rejects.toMatchObject({ code: 'storage_enoent' });
  });
});
