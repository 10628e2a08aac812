import type { Row } from '../model/rows.js';
import type { Partitions } from '../storage/partitions.js';
import type { Stream } from '../streams/stream.js';

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

/** Records between two calls of `spill`. */
const MANY = 5_000;

/** Collects the records that left a list or came into one, and brings those of the same person together. */
export function movingRecords({ schema, key }: Stream, open: () => Promise<Partitions>) {
  const parents = schema.primaryKey.filter((name) => !key.includes(name));
  const idOf = (row: Row): string => JSON.stringify(key.map((name) => row[name]));
  const placeOf = ({ row }: Single): string => parents.map((name) => row[name]).join('/');
  let partitions: Partitions | undefined;
  let added = 0;
  return {
    async add(row: Row, change: Single['change'], reason: string | null): Promise<void> {
      partitions ??= await open();
      partitions.add(idOf(row), JSON.stringify({ row, change, reason } satisfies Single));
      added += 1;
      if (added % MANY === 0) await partitions.spill();
    },
    /** A few thousand people at a time, in an order that depends on their ids alone. */
    async *groups(): AsyncGenerator<Group[]> {
      for await (const lines of partitions?.read() ?? []) {
        const people = new Map<string, Single[]>();
        for (const line of lines) {
          const single = JSON.parse(line) as Single;
          const id = idOf(single.row);
          const known = people.get(id);
          if (known) known.push(single);
          else people.set(id, [single]);
        }
        yield [...people].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, singles]) => group(singles));
      }
    },
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
