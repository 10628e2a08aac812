import type { Row } from '../model/rows.js';
import type { Beginning, Ending, HistoryRow } from './history-row.js';

/** A day on which a record was not what it was on the day before of which something is known. */
export interface Turn {
  /** The index of the day. */
  day: number;
  /** What it is from then on; null: it is not there. */
  row: Row | null;
  /** The columns that differ, where it was there before, too. */
  changed: string[];
}

/** A day from which on a list is known, or is not known for another reason. */
export interface Knowledge {
  day: number;
  /** Why nothing is known; null: something is. */
  reason: string | null;
}

/** Days on which a record was the same, or on which nothing is known of it: days by their index. */
export interface Interval {
  from: number;
  /** The first day after it; undefined: it lasts. */
  to: number | undefined;
  state: HistoryRow['state'];
  began: Beginning | null;
  ended: Ending | null;
  changed: string[] | null;
  row: Row | null;
  reason: string | null;
}

/**
 * What one record was, from the first day on.
 * @param turns in the order of their days, each on a day on which its list is known
 * @param knowledge of it, in the order of the days, the first of day 0
 */
export function intervalsOf(turns: readonly Turn[], knowledge: readonly Knowledge[]): Interval[] {
  const intervals: Interval[] = [];
  let open: Interval | undefined;
  let last: Row | null = null;
  let read: Row | null = null;
  let [wasKnown, wasThere] = [true, false];
  const close = (day: number, ended: Ending): void => {
    if (!open) return;
    open.to = day;
    if (open.state === 'present') open.ended = ended;
    open = undefined;
  };
  const start = (interval: Pick<Interval, 'from' | 'state'> & Partial<Interval>): void => {
    open = { to: undefined, began: null, ended: null, changed: null, row: null, reason: null, ...interval };
    intervals.push(open);
  };
  for (const { day, turn, reason } of eventsOf(turns, knowledge)) {
    if (turn) read = turn.row;
    if (reason !== null) {
      if (open?.state === 'unknown') continue;
      close(day, 'unknown');
      start({ from: day, state: 'unknown', reason });
      wasKnown = false;
      continue;
    }
    const row = read;
    const changed = turn && last && row && turn.changed.length > 0 ? turn.changed : null;
    if (row === null) close(day, 'removed');
    else if (!wasKnown || !last || changed) {
      close(day, 'changed');
      const began = beginning({ day, wasKnown, isThere: last !== null, wasThere });
      start({ from: day, state: 'present', began, changed, row });
    }
    [last, wasKnown, wasThere] = [row, true, wasThere || row !== null];
  }
  return intervals;
}

/** @param isThere whether it was on the last day of which something is known; `wasThere`: on any earlier day */
function beginning(before: {
  day: number;
  wasKnown: boolean;
  isThere: boolean;
  wasThere: boolean;
}): Beginning {
  const { day, wasKnown, isThere, wasThere } = before;
  if (day === 0) return 'first_read';
  if (isThere) return wasKnown ? 'changed' : 'known_again';
  if (!wasKnown) return 'added_or_earlier';
  return wasThere ? 'returned' : 'added';
}

/** The days on which anything may begin or end, in order. */
function eventsOf(turns: readonly Turn[], knowledge: readonly Knowledge[]) {
  const byDay = new Map(turns.map((turn) => [turn.day, turn]));
  const reasons = new Map(knowledge.map(({ day, reason }) => [day, reason]));
  const days = [...new Set([...byDay.keys(), ...reasons.keys()])].sort((a, b) => a - b);
  let reason: string | null = null;
  return days.map((day) => {
    reason = reasons.has(day) ? (reasons.get(day) ?? null) : reason;
    return { day, turn: byDay.get(day), reason };
  });
}
