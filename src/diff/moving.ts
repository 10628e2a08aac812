import type { Row } from '../model/rows.js';
import type { Partitions } from '../storage/partitions.js';
import type { Stream } from '../streams/stream.js';
import { byKey, setAside } from './aside.js';

/** A record that is on one side of its list only. */
export interface Single {
  row: Row;
  change: 'added' | 'removed';
  reason: string | null;
}

/** What became of one person: places that were changed for others, and those that were only left or only taken. */
export interface Group {
  moved: [before: Row, after: Row][];
  singles: Single[];
}

/** Collects the records that left a list or came into one, and brings those of the same person together. */
export function movingRecords({ schema, key }: Stream, open: () => Partitions) {
  const parents = schema.primaryKey.filter((name) => !key.includes(name));
  const placeOf = ({ row }: Single): string => parents.map((name) => row[name]).join('/');
  const aside = setAside<Single>(open);
  return {
    add: (single: Single) => aside.add(JSON.stringify(key.map((name) => single.row[name])), single),
    /** A few thousand people at a time, in an order that depends on their ids alone. */
    async *groups(): AsyncGenerator<Group[], void, void> {
      for await (const people of aside.groups()) yield byKey(people).map(([, singles]) => group(singles));
    },
    remove: () => aside.remove(),
  };

  /** Pairs in the order of the places: who left two organisations and joined one has moved from the first of the two. */
  function group(all: readonly Single[]): Group {
    const ordered = [...all].sort((a, b) => (placeOf(a) < placeOf(b) ? -1 : 1));
    const left = ordered.filter(({ change }) => change === 'removed');
    const joined = ordered.filter(({ change }) => change === 'added');
    const pairs = Math.min(left.length, joined.length);
    return {
      moved: left.slice(0, pairs).map(({ row }, i) => [row, joined[i]?.row as Row]),
      singles: [...left.slice(pairs), ...joined.slice(pairs)],
    };
  }
}
