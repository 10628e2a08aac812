import type { ChangeRow } from '../../../src/index.js';
import type { Expected } from './reference.js';

/** Rows as text, in an order: what a comparison says is a set. How a list was read is not the reference's business. */
export const asSet = (rows: readonly (Expected | ChangeRow)[]): string[] => asTexts(rows).sort();

/** Rows as text, in their order. */
export const asTexts = (rows: readonly (Expected | ChangeRow)[]): string[] =>
  rows.map(({ stream, organization_uuid, key, change, field, before, after, effect }) =>
    JSON.stringify([
      stream,
      organization_uuid,
      key,
      change,
      field,
      ...(change === 'unknown' ? [] : [canonical(before), canonical(after)]),
      effect,
    ]),
  );

/** Typed files hold instants in UTC, with six digits. */
export function canonical(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(canonical);
  if (typeof value === 'object' && value !== null)
    return Object.fromEntries(
      Object.entries(value)
        .sort(([a], [b]) => (a < b ? -1 : 1))
        .map(([name, inner]) => [name, canonical(inner)]),
    );
  if (typeof value !== 'string' || !/^\d{4}-\d\d-\d\dT[^.]*(\.\d{1,6})?(Z|[+-]\d\d:\d\d)$/.test(value))
    return value;
  if (Number.isNaN(Date.parse(value))) return value; // the second 60
  return new Date(value).toISOString() + (/\.(\d+)/.exec(value)?.[1] ?? '').padEnd(6, '0').slice(3);
}
