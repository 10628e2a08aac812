import type { Dialect } from './ddl.js';
import { snapshotsTable } from './model.js';

/** Selects what a warehouse holds: the manifest of each run date. */
export const heldSql = ({ quoting: { name } }: Dialect, schema: string): string =>
  `SELECT DISTINCT CAST(run_date AS VARCHAR) AS run_date, manifest_sha256 FROM ${name(schema, snapshotsTable.name)}`;

/** The SHA-256 of the manifest by run date, from the rows of that query. */
export const heldOf = (rows: readonly Readonly<Record<string, unknown>>[]): Map<string, string> =>
  new Map(rows.map(({ run_date, manifest_sha256 }) => [String(run_date), String(manifest_sha256)]));
