import { type Manifest, sum, totalsOf } from '../lake/manifest.js';
import { keyText } from '../streams/stream.js';

/** What a manifest says of itself that its own entries do not come to, as sentences. */
export function wrongTotals({ totals, tables, status, erasures = [] }: Manifest): string[] {
  const counted = totalsOf(tables);
  const wrong = Object.entries(counted).filter(
    ([name, value]) => totals[name as keyof typeof counted] !== value,
  );
  return [
    ...wrong.map(([name, value]) => `${name}: its entries come to ${value}`),
    ...Object.entries(tables).flatMap(([name, { slices }]) => {
      const erased = slices.reduce((rows, slice) => rows + (slice.erased ?? 0), 0);
      const removed = erasures.reduce((rows, erasure) => rows + (erasure.removed[name] ?? 0), 0);
      return erased === removed
        ? []
        : [`${name}: its erasures removed ${removed} rows, of its lists ${erased} are missing`];
    }),
    ...(status === 'pruned' ? [] : Object.entries(tables).flatMap(([name, table]) => unheld(name, table))),
  ];
}

/** Rows that a table counts and that its files do not hold. */
function unheld(name: string, { layout, rows, files, slices }: Manifest['tables'][string]): string[] {
  const held =
    layout === 'per-date'
      ? [{ of: name, rows, files }]
      : slices.map((slice) => ({
          of: `${name} ${keyText(slice.parent)}`.trim(),
          rows: slice.rows,
          files: slice.files,
        }));
  const wrong = held
    .filter((list) => list.rows !== sum(list.files, 'rows'))
    .map(({ of, rows }) => `the files of ${of} do not hold its ${rows} rows`);
  return rows === sum(slices, 'rows')
    ? wrong
    : [...wrong, `${name}: its lists come to ${sum(slices, 'rows')} rows`];
}
