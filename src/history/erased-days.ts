import { erasedFrom } from '../lake/erasures.js';
import type { Row } from '../model/rows.js';
import type { Stream } from '../streams/stream.js';
import type { Knowledge } from './intervals.js';
import type { DaySnapshot } from './list-track.js';

/** Why it is not known whether a record was there. */
const ERASED = 'erased';

/** Collects the days from which people were erased: whether a record of theirs was there is not known. */
export function erasedDays({ key }: Pick<Stream, 'key'>) {
  const days = new Map<number, (id: string) => boolean>();
  let last = 0;
  return {
    add({ index, manifest }: DaySnapshot): void {
      last = index;
      if (manifest.erasures?.length) days.set(index, erasedFrom(manifest));
    },
    /** What is known of a record, by what is known of its list. */
    knowledgeOf(row: Row, ofList: readonly Knowledge[]): readonly Knowledge[] {
      const ids = key.map((name) => row[name]).filter((value) => typeof value === 'string');
      const erased = [...days].filter(([, isErased]) => ids.some(isErased)).map(([day]) => day);
      if (erased.length === 0) return ofList;
      const turns = [
        ...new Set([...ofList.map(({ day }) => day), ...erased.flatMap((day) => [day, day + 1])]),
      ];
      return turns
        .filter((day) => day <= last)
        .sort((a, b) => a - b)
        .map((day) => {
          const reason = ofList.findLast((known) => known.day <= day)?.reason ?? null;
          return { day, reason: reason ?? (erased.includes(day) ? ERASED : null) };
        });
    },
  };
}
