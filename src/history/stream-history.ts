import { byKey, setAside } from '../diff/aside.js';
import { rowComparer } from '../diff/compare-rows.js';
import { isServedAlike, keyReader, rowsOf } from '../diff/diff-stream.js';
import { incomparableFields } from '../diff/incomparable.js';
import { joinByKey, type Pair } from '../diff/join.js';
import { type ListRows, listRows } from '../diff/list-rows.js';
import { listStates } from '../diff/list-states.js';
import { recordIdentity } from '../diff/record-identity.js';
import type { Row } from '../model/rows.js';
import type { Partitions } from '../storage/partitions.js';
import { keyText, type ParentKey, type Stream } from '../streams/stream.js';
import { erasedDays } from './erased-days.js';
import type { HistoryRow } from './history-row.js';
import { intervalsOf, type Turn } from './intervals.js';
import { type DaySnapshot, type ListTrack, noteDay } from './list-track.js';
import type { Chosen } from './selection.js';

export interface StreamHistoryRequest {
  stream: Stream;
  /** Every list of it that any of the days has. */
  lists: readonly ParentKey[];
  chosen: Chosen;
  /** Gives a new place for rows that do not fit into memory. */
  partitions(): Partitions;
  signal?: AbortSignal | undefined;
}

/** Follows the records of a stream from day to day: each day is compared with the last one of which something is known. */
export function streamHistory({ stream, lists, chosen, partitions, signal }: StreamHistoryRequest) {
  const keyOf = keyReader(stream.key);
  const columns = stream.schema.primaryKey;
  const recordKey = (row: Row): string => JSON.stringify(columns.map((column) => row[column] ?? null));
  const { identityOf, recordOf } = recordIdentity(stream);
  const tracks = new Map<string, ListTrack>();
  for (const parent of lists) tracks.set(keyText(parent), { parent, knowledge: [] });
  const ordered = [...tracks].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, track]) => track);
  const turns = setAside<Turn>(partitions);
  const erased = erasedDays(stream);

  /** What differs between a day and the last one that is known of a list. */
  function turnsBetween(before: DaySnapshot | undefined, after: DaySnapshot) {
    const incomparable = before ? incomparableFields(stream, [before, after]) : [];
    const compare = rowComparer(stream, new Set(incomparable.map(({ field }) => field)));
    const isGap = before !== undefined && before.index < after.index - 1;
    return (pair: Pair): Turn | undefined => {
      const day = after.index;
      if (!pair.before || !pair.after) return { day, row: pair.after ?? null, changed: [] };
      const differences = compare(pair.before, pair.after);
      if (differences.length > 0)
        return { day, row: pair.after, changed: differences.map(({ field }) => field.name) };
      // After days that are not known, an interval begins: with the values of its own first day.
      return isGap ? { day, row: pair.after, changed: [] } : undefined;
    };
  }

  return {
    /** Takes the next day. */
    async add(snapshot: DaySnapshot): Promise<void> {
      erased.add(snapshot);
      const stateOf = listStates(snapshot.manifest);
      const readers = new Map<DaySnapshot, ListRows>();
      const readerOf = (day: DaySnapshot): ListRows => {
        const reader = readers.get(day) ?? listRows(stream, day);
        readers.set(day, reader);
        return reader;
      };
      try {
        for (const track of ordered) {
          signal?.throwIfAborted();
          const state = stateOf(stream, track.parent);
          noteDay(track, snapshot.index, state);
          if (state.state === 'unknown') continue;
          const { last, kept } = track;
          track.last = { snapshot, state };
          if (last && isServedAlike(last.state, state)) continue;
          const turnOf = turnsBetween(last?.snapshot, snapshot);
          const after = chosen.rowsOf(rowsOf(state, readerOf(snapshot)));
          const before = last && chosen.rowsOf(rowsOf(last.state, readerOf(last.snapshot)));
          const found = chosen.isFew ? await all(after) : undefined;
          if (found) track.kept = found;
          const sides = {
            before: kept ? inOne(kept) : (before ?? inOne([])),
            after: found ? inOne(found) : after,
          };
          for await (const pairs of joinByKey({ ...sides, keyOf, partitions })) {
            for (const pair of pairs) {
              const turn = turnOf(pair);
              if (turn) await turns.add(recordKey((pair.after ?? pair.before) as Row), turn);
            }
          }
        }
        for (const reader of readers.values()) await reader.end();
      } finally {
        for (const reader of readers.values()) await reader.close();
      }
    },
    /** The intervals of every record, record by record, in an order that depends on their keys alone. */
    async *rows(dates: readonly string[]): AsyncGenerator<HistoryRow[], void, void> {
      for await (const records of turns.groups()) {
        yield byKey(records).flatMap(([, all]) => rowsOfRecord(all, dates));
      }
    },
    /** How many of the lists were not known on one of the days. */
    unknownLists: () =>
      ordered.filter(({ knowledge }) => knowledge.some(({ reason }) => reason !== null)).length,
  };

  function rowsOfRecord(all: readonly Turn[], dates: readonly string[]): HistoryRow[] {
    const rows = all.map(({ row }) => row).filter((row) => row !== null);
    const newest = rows.at(-1);
    if (!newest || !rows.some(chosen.isAbout)) return [];
    const parent = columns.filter((column) => !stream.key.includes(column)).map((column) => newest[column]);
    const { knowledge = [] } = tracks.get(parent.join('/')) ?? {};
    return intervalsOf(all, erased.knowledgeOf(newest, knowledge)).map(({ from, to, row, ...interval }) => ({
      ...identityOf(newest),
      valid_from: dates[from] as string,
      valid_to: to === undefined ? null : (dates[to] as string),
      ...interval,
      record: row && recordOf(row),
    }));
  }
}

async function* inOne(rows: readonly Row[]): AsyncGenerator<readonly Row[], void, void> {
  if (rows.length > 0) yield rows;
}

async function all(batches: AsyncIterable<readonly Row[]>): Promise<Row[]> {
  const rows: Row[] = [];
  for await (const batch of batches) rows.push(...batch);
  return rows;
}
