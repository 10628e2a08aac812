import type { Manifest } from '../../src/index.js';

/** `895,316` */
export const count = (value: number): string => value.toLocaleString('en-GB');

/** `1 file`, `25 files` */
export const counted = (value: number, noun: string): string =>
  `${count(value)} ${noun}${value === 1 ? '' : 's'}`;

/** `complete snapshot of 2026-11-23: 25 organizations, 20,000 users`, in the order of the streams. */
export function snapshotLine({ status, run_date: runDate, tables }: Manifest): string {
  const rows = Object.entries(tables).map(([name, table]) => `${count(table.rows)} ${name}`);
  return `${status} snapshot of ${runDate}: ${rows.join(', ')}`;
}
