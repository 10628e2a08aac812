import type { ChangeRow, HistoryRow, Json } from '../../../src/index.js';

/** What comparisons of neighbouring days say of records, as text in an order: who moved has left one list and come into another. */
export const eventsOfChanges = (changes: readonly ChangeRow[]): string[] => {
  const fields = new Map<string, string[]>();
  const events = changes.flatMap(({ to_date, stream, key, change, field, before, after }) => {
    const text = (what: string, own: Json) => JSON.stringify([to_date, stream, own, what]);
    if (change === 'unknown') return [];
    if (change === 'moved')
      return [
        text('removed', { ...key, ...(before as object) }),
        text('added', { ...key, ...(after as object) }),
      ];
    if (change !== 'changed') return [text(change, key)];
    const record = text(change, key);
    fields.set(record, [...(fields.get(record) ?? []), field ?? '']);
    return [];
  });
  return [...events, ...[...fields].map(([record, names]) => record + names.sort().join())].sort();
};

/** The same of histories: what happened between two neighbouring days that are both known. */
export const eventsOfHistory = (rows: readonly HistoryRow[]): string[] =>
  rows
    .flatMap(({ stream, key, valid_from, valid_to, began, ended, changed }) => {
      const text = (date: string | null, what: string) => JSON.stringify([date, stream, key, what]);
      return [
        ...(began === 'added' || began === 'returned' ? [text(valid_from, 'added')] : []),
        ...(began === 'changed' ? [text(valid_from, 'changed') + [...(changed ?? [])].sort().join()] : []),
        ...(ended === 'removed' ? [text(valid_to, 'removed')] : []),
      ];
    })
    .sort();
