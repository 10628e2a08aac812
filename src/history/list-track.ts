import type { ListState } from '../diff/list-states.js';
import type { PublishedSnapshot } from '../lake/file-rows.js';
import type { Row } from '../model/rows.js';
import type { ParentKey } from '../streams/stream.js';
import type { Knowledge } from './intervals.js';

/** A snapshot with its place among the days. */
export interface DaySnapshot extends PublishedSnapshot {
  index: number;
}

/** What is known of a list, from day to day. */
export interface ListTrack {
  readonly parent: ParentKey;
  /** From the first day on; as short as it can be. */
  readonly knowledge: Knowledge[];
  /** How it was on the last day of which something is known. */
  last?: { snapshot: DaySnapshot; state: ListState };
  /** Its rows on that day, where they are few. */
  kept?: readonly Row[];
}

/** Notes whether a list is known on the next day. */
export function noteDay({ knowledge }: ListTrack, day: number, state: ListState): void {
  const reason = state.state === 'unknown' ? state.reason : null;
  if (knowledge.length === 0 || knowledge.at(-1)?.reason !== reason) knowledge.push({ day, reason });
}
