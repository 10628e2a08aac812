import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  appendEntry,
  brokenEntries,
  checkLog,
  currentOf,
  headOf,
  type Log,
  type LogEntry,
  readLog,
  runDatesOf,
} from '../../src/lake/log.js';
import { LOG, logKey } from '../../src/lake/paths.js';
import { MemoryStorage } from './support/memory-storage.js';

type NewEntry = Parameters<typeof appendEntry>[2];

const entryOf = (change: Partial<NewEntry> = {}): NewEntry => ({
  at: '2026-11-23T12:00:00.000Z',
  action: 'publish',
  run_date: '2026-11-23',
  run_id: '20261123T120000Z-00000001',
  manifest_sha256: 'a'.repeat(64),
  replaces: null,
  ...change,
});

async function logOf(...entries: NewEntry[]): Promise<{ storage: MemoryStorage; log: Log }> {
  const storage = new MemoryStorage();
  let log: Log = [];
  for (const entry of entries) {
    expect(await appendEntry(storage, log, entry)).toBe(true);
    log = await readLog(storage, log);
  }
  return { storage, log };
}

const stored = (storage: MemoryStorage, seq: number): LogEntry =>
  JSON.parse(storage.text(logKey(seq)) ?? '') as LogEntry;

describe('the log', () => {
  it('numbers its entries from 1, and each holds the SHA-256 of the file before it', async () => {
    const { storage } = await logOf(entryOf(), entryOf(), entryOf());
    expect([...storage.objects.keys()]).toEqual([1, 2, 3].map((n) => `_runs/log/0000000${n}.json`));
    const hash = (seq: number) =>
      createHash('sha256')
        .update(storage.text(logKey(seq)) ?? '')
        .digest('hex');
    expect([1, 2, 3].map((seq) => stored(storage, seq).previous_sha256)).toEqual([null, hash(1), hash(2)]);
    expect([1, 2, 3].map((seq) => stored(storage, seq).seq)).toEqual([1, 2, 3]);
  });

  it('takes the entry of one of two that append after the same entry', async () => {
    const { storage, log } = await logOf(entryOf());
    const winners = await Promise.all(
      ['b', 'c', 'd'].map((digit) =>
        appendEntry(storage, log, entryOf({ manifest_sha256: digit.repeat(64) })),
      ),
    );
    expect(winners.filter(Boolean)).toHaveLength(1);
    expect(storage.objects.size).toBe(2);
  });

  it('is read from where it was read before', async () => {
    const { storage, log } = await logOf(entryOf(), entryOf());
    await appendEntry(storage, log, entryOf());
    const read: string[] = [];
    class Noting extends MemoryStorage {
      override read(key: string) {
        read.push(key);
        return super.read(key);
      }
    }
    const noting = new Noting(storage.objects);
    const later = await readLog(noting, log);
    expect(read).toEqual([logKey(3)]);
    expect(later).toEqual(await readLog(storage));
  });

  it('is not changed by files of other names in its folder', async () => {
    const { storage, log } = await logOf(entryOf());
    for (const name of ['1.json', '00000002.json.tmp', 'old/00000002.json', 'x00000002.json', 'README'])
      storage.plant(`${LOG}/${name}`, 'mine');
    expect(await readLog(storage)).toEqual(log);
  });

  it('is listed again when the listing shows an entry and not the one before it', async () => {
    const { storage, log } = await logOf(entryOf(), entryOf(), entryOf());
    let listings = 0;
    class Late extends MemoryStorage {
      override async *list(folder: string) {
        const isFirst = ++listings === 1;
        for await (const object of super.list(folder)) if (!isFirst || object.key !== logKey(2)) yield object;
      }
    }
    expect(await readLog(new Late(storage.objects))).toEqual(log);
    expect(listings).toBe(2);
  });

  it('keeps the order beyond the digits of its names', async () => {
    const storage = new MemoryStorage();
    for (const seq of [99_999_999, 100_000_000]) storage.plant(logKey(seq), '{}');
    expect((await readLog(storage)).map(({ seq }) => seq)).toEqual([99_999_999, 100_000_000]);
  });

  it('knows the head of a day, its current manifest, and the days', async () => {
    const abandon = { action: 'abandon', manifest_sha256: null, replaces: 'dead' } as const;
    const { log } = await logOf(
      entryOf({ run_date: '2026-11-22' }),
      entryOf({ run_date: '2026-11-23' }),
      entryOf({ run_date: '2026-11-22', ...abandon }),
      entryOf({ run_date: '2026-11-21', ...abandon }),
    );
    expect([headOf(log, '2026-11-22')?.seq, currentOf(log, '2026-11-22')?.seq]).toEqual([3, 1]);
    expect([headOf(log, '2026-11-21')?.seq, currentOf(log, '2026-11-21')?.seq]).toEqual([4, undefined]);
    expect(headOf(log, '2026-11-20')).toBeUndefined();
    expect(runDatesOf(log)).toEqual(['2026-11-23', '2026-11-22']);
  });
});

describe('a log that was damaged', () => {
  const change = (storage: MemoryStorage, seq: number, entry: object): void =>
    storage.plant(logKey(seq), `${JSON.stringify({ ...stored(storage, seq), ...entry })}\n`);

  it.each<[string, (storage: MemoryStorage) => void, number]>([
    ['the first entry is gone', (storage) => storage.objects.delete(logKey(1)), 1],
    ['an entry between others is gone', (storage) => storage.objects.delete(logKey(2)), 2],
    ['an entry was changed', (storage) => change(storage, 2, { run_id: 'another' }), 3],
    ['an entry is cut', (storage) => storage.plant(logKey(2), '{"seq":2,"prev'), 2],
    ['an entry is empty', (storage) => storage.plant(logKey(4), ''), 4],
    ['an entry has a field that is not known', (storage) => change(storage, 4, { note: 'x' }), 4],
    ['an entry lacks a field', (storage) => change(storage, 4, { at: undefined }), 4],
    ['an entry has an action that is not known', (storage) => change(storage, 4, { action: 'undo' }), 4],
    ['an entry has another number', (storage) => change(storage, 4, { seq: 5 }), 4],
  ])('is refused when %s', async (_, damage, first) => {
    const { storage } = await logOf(...Array.from({ length: 4 }, () => entryOf()));
    damage(storage);
    const log = await readLog(storage);
    expect(brokenEntries(log)[0]).toBe(first);
    expect(() => checkLog(log, storage)).toThrow(`is damaged at entry ${first}: `);
    expect(() => checkLog(log, storage)).toThrow(expect.objectContaining({ code: 'log_damaged' }));
  });

  it('is noticed whichever byte of whichever entry but the last was changed', async () => {
    const { storage } = await logOf(...Array.from({ length: 5 }, () => entryOf()));
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 4 }),
        fc.nat(),
        fc.integer({ min: 1, max: 255 }),
        async (seq, at, by) => {
          const changed = new MemoryStorage(storage.objects);
          const bytes = Buffer.from(storage.objects.get(logKey(seq)) as Buffer);
          const index = at % bytes.byteLength;
          bytes[index] = (bytes[index] as number) ^ by;
          changed.objects.set(logKey(seq), bytes);
          expect(brokenEntries(await readLog(changed))).not.toEqual([]);
        },
      ),
    );
  });
});
