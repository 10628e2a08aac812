import type { FixtureApi } from '../../../fixtures/api/index.js';
import type { Field, ParentKey, Row, Stream } from '../../../src/index.js';

/** One list that a fixture serves. */
export interface ServedList {
  parent: ParentKey;
  /** As it is requested. */
  path: string;
  records: Readonly<Record<string, unknown>>[];
}

/** Every list of a stream that a fixture serves now, each record once. */
export function servedLists(api: FixtureApi, { name, path, parent: above, through }: Stream): ServedList[] {
  const [first] = through ? servedLists(api, through.stream).flatMap(({ records }) => records) : [];
  const place = through ? { [through.column]: String(first?.[through.stream.key.at(-1) as string]) } : {};
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
    path: path.replace(/\{(\w+)\}/g, (_, column: string) => String({ ...place, ...parent }[column])),
    records: [...api.records(name, ...Object.values(parent))],
  }));
}

/** The rows of a snapshot by the rules in the README, made by nothing that makes them in the source. */
export const expectedRows = (stream: Stream, lists: readonly ServedList[], runDate: string): Row[] =>
  lists.flatMap(({ parent, records }) =>
    records.map((record) => {
      const fits = (name: string): boolean =>
        stream.fields.some((field) => field.name === name && isOf(field, record[name]));
      const known = stream.fields.map(({ name }) => [name, fits(name) ? record[name] : null]);
      const names = stream.fields.map(({ name }) => name);
      const rest = Object.entries(record).filter(
        ([name, value]) => !names.includes(name) || (!fits(name) && value !== null),
      );
      const extra = rest.length > 0 ? Object.fromEntries(rest) : null;
      return { ...parent, ...Object.fromEntries(known), snapshot_date: runDate, extra };
    }),
  );

function isOf({ type, shape }: Field, value: unknown): boolean {
  if (type === 'boolean') return typeof value === 'boolean';
  if (type === 'json') return shape === 'array' ? Array.isArray(value) : value !== undefined;
  return typeof value === 'string';
}

/** In an order of their own, by which rows of different layouts can be compared. */
export const inOrder = <R extends Readonly<Record<string, unknown>>>(
  stream: Stream,
  rows: readonly R[],
): R[] => {
  const key = (row: R): string => JSON.stringify(stream.schema.primaryKey.map((name) => row[name]));
  return [...rows].sort((a, b) => (key(a) < key(b) ? -1 : 1));
};
