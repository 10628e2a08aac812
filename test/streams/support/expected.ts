import type { FixtureApi } from '../../../fixtures/api/index.js';
import type { ParentKey, Row, Stream } from '../../../src/index.js';

/** One list that a fixture serves. */
export interface ServedList {
  parent: ParentKey;
  /** As it is requested. */
  path: string;
  records: Readonly<Record<string, unknown>>[];
}

/** Every list of a stream that a fixture serves now, each record once. */
export function servedLists(api: FixtureApi, { name, path, parent: above }: Stream): ServedList[] {
  const parents: ParentKey[] = above
    ? servedLists(api, above.stream).flatMap(({ parent, records }) =>
        records.map((record) => ({
          ...parent,
          [above.column]: String(record[above.stream.key.at(-1) as string]),
        })),
      )
    : [{}];
  return parents.map((parent) => ({
    parent,
    path: path.replace(/\{(\w+)\}/g, (_, column: string) => String(parent[column])),
    records: [...api.records(name, ...Object.values(parent))],
  }));
}

/** The rows of a snapshot by the rules in the README, made by nothing that makes them in the source. */
export const expectedRows = (stream: Stream, lists: readonly ServedList[], runDate: string): Row[] =>
  lists.flatMap(({ parent, records }) =>
    records.map((record) => {
      const names = stream.fields.map(({ name }) => name);
      const known = names.map((name) => [name, typeof record[name] === 'string' ? record[name] : null]);
      const rest = Object.entries(record).filter(
        ([name, value]) => !names.includes(name) || (typeof value !== 'string' && value !== null),
      );
      const extra = rest.length > 0 ? Object.fromEntries(rest) : null;
      return { ...parent, ...Object.fromEntries(known), snapshot_date: runDate, extra };
    }),
  );

/** In an order of their own, by which rows of different layouts can be compared. */
export const inOrder = <R extends Readonly<Record<string, unknown>>>(
  stream: Stream,
  rows: readonly R[],
): R[] => {
  const key = (row: R): string => JSON.stringify(stream.schema.primaryKey.map((name) => row[name]));
  return [...rows].sort((a, b) => (key(a) < key(b) ? -1 : 1));
};
