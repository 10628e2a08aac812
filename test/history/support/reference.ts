import type { HistoryRow, Row, Stream } from '../../../src/index.js';
import { streams } from '../../../src/index.js';
import { canonical } from '../../diff/support/as-set.js';
import type { Day } from '../../diff/support/made-up-api.js';
import { compared, type Known, known, meaning } from '../../diff/support/reference.js';

/** A day that was read, and its date. */
export interface DatedDay {
  date: string;
  day: Day;
}

/** What a history must say of one interval; why a list is unknown is not the reference's business. */
export type ExpectedInterval = Pick<
  HistoryRow,
  'stream' | 'key' | 'valid_from' | 'valid_to' | 'state' | 'began' | 'ended' | 'changed' | 'record'
>;

/** On one day: what the record was; null: it was not there. */
type Cell = Row | null | 'unknown';

/** Slow and obvious: looks at one record after the other, and at one day after the other. */
export function referenceHistory(days: readonly DatedDay[]): ExpectedInterval[] {
  return streams.flatMap((stream) => {
    const names = new Set(days.flatMap(({ day }) => Object.keys(day.lists)));
    return [...names]
      .filter((name) => name.split('/')[0] === stream.name)
      .flatMap((name) => {
        const lists = days.map(({ day }) => known(stream, name.split('/').slice(1), day));
        const keys = new Set(lists.flatMap((list) => (list === 'unknown' ? [] : [...list.rows.keys()])));
        return [...keys].flatMap((key) =>
          intervals(
            stream,
            days.map(({ date }) => date),
            lists.map((list) => cellOf(list, key)),
          ),
        );
      });
  });
}

const cellOf = (list: Known, key: string): Cell =>
  list === 'unknown' ? 'unknown' : (list.rows.get(key) ?? null);

function intervals(stream: Stream, dates: readonly string[], cells: readonly Cell[]): ExpectedInterval[] {
  const some = cells.find((cell): cell is Row => cell !== null && cell !== 'unknown') as Row;
  const key = Object.fromEntries(stream.schema.primaryKey.map((name) => [name, some[name] ?? null]));
  const found: ExpectedInterval[] = [];
  for (const [i, cell] of cells.entries()) {
    if (cell === null || continues(stream, cells, i)) continue;
    let end = i + 1;
    while (end < cells.length && continues(stream, cells, end)) end += 1;
    const next = cells[end];
    const from: ExpectedInterval = {
      stream: stream.name,
      key,
      valid_from: dates[i] as string,
      valid_to: dates[end] ?? null,
      state: 'unknown',
      began: null,
      ended: null,
      changed: null,
      record: null,
    };
    if (cell === 'unknown') found.push(from);
    else
      found.push({
        ...from,
        state: 'present',
        ...beginning(stream, cells, i),
        ended: end === cells.length ? null : next === 'unknown' ? 'unknown' : next ? 'changed' : 'removed',
        record: recordOf(stream, cell),
      });
  }
  return found;
}

/** Whether a day is as the day before was. */
function continues(stream: Stream, cells: readonly Cell[], i: number): boolean {
  const [before, cell] = [cells[i - 1], cells[i]];
  if (before === 'unknown' || cell === 'unknown') return before === cell;
  return before != null && cell != null && changes(stream, before, cell).length === 0;
}

const changes = (stream: Stream, before: Row, after: Row): string[] =>
  compared(stream)
    .filter(({ name, type }) => meaning(before[name] ?? null, type) !== meaning(after[name] ?? null, type))
    .map(({ name }) => name);

function beginning(
  stream: Stream,
  cells: readonly Cell[],
  i: number,
): Pick<ExpectedInterval, 'began' | 'changed'> {
  if (i === 0) return { began: 'first_read', changed: null };
  const last = cells.slice(0, i).findLast((cell) => cell !== 'unknown');
  const isAfterUnknown = cells[i - 1] === 'unknown';
  if (last) {
    const changed = changes(stream, last, cells[i] as Row);
    return {
      began: isAfterUnknown ? 'known_again' : 'changed',
      changed: changed.length > 0 ? changed : null,
    };
  }
  if (isAfterUnknown) return { began: 'added_or_earlier', changed: null };
  const wasThere = cells.slice(0, i).some((cell) => cell !== null && cell !== 'unknown');
  return { began: wasThere ? 'returned' : 'added', changed: null };
}

const recordOf = ({ schema }: Stream, row: Row): ExpectedInterval['record'] =>
  Object.fromEntries(
    schema.fields
      .filter(({ origin, name }) => origin === 'api' || name === 'extra')
      .map(({ name }) => [name, row[name] ?? null]),
  );

/** Intervals as text, in an order. */
export const asTexts = (rows: readonly ExpectedInterval[]): string[] =>
  rows
    .map(({ stream, key, valid_from, valid_to, state, began, ended, changed, record }) =>
      JSON.stringify([
        stream,
        key,
        valid_from,
        valid_to,
        state,
        began,
        ended,
        changed && [...changed].sort(),
        canonical(record),
      ]),
    )
    .sort();
