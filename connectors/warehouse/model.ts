import {
  type FieldType,
  isFull,
  type Manifest,
  organizationsSchema,
  type StreamSchema,
  usersSchema,
} from '../../src/index.js';
import type { SqlValue } from './sql.js';

/**
 * What every warehouse holds, whatever it is: two tables with one slice for each run date, a table of the run dates,
 * and a view on the newest complete one of each. (History over time will stand beside them, made from these tables.)
 */

/** A field's type, or one of the `snapshots` table. */
export type ColumnType = FieldType | 'count' | 'boolean';

export interface Column {
  readonly name: string;
  readonly type: ColumnType;
  readonly nullable: boolean;
  /** The column's comment in the warehouse. */
  readonly description: string;
}

export interface Table {
  readonly name: string;
  readonly description: string;
  /** In the order of the files. */
  readonly columns: readonly Column[];
  readonly primaryKey: readonly string[];
  /** The column that holds the run date, by which the table is replaced. */
  readonly dateColumn: string;
}

/** One of the two tables that are loaded from files. */
export interface SnapshotTable extends Table {
  /** The name of the stream, which is the table's in the manifest. */
  readonly stream: string;
  /** The view on the newest complete run date. */
  readonly currentView: string;
}

const snapshotTable = (schema: StreamSchema): SnapshotTable => ({
  name: `${schema.name}_snapshot`,
  stream: schema.name,
  currentView: `${schema.name}_current`,
  description: `${schema.description} One slice for each run date.`,
  columns: schema.fields,
  primaryKey: ['snapshot_date', ...schema.primaryKey],
  dateColumn: 'snapshot_date',
});

/** The tables that are loaded from files. */
export const snapshotTables: readonly SnapshotTable[] = [
  snapshotTable(organizationsSchema),
  snapshotTable(usersSchema),
];

const column = (name: string, type: ColumnType, description: string): Column => ({
  name,
  type,
  description,
  nullable: false,
});

/** What was loaded, one row for each run date. */
export const snapshotsTable: Table = {
  name: 'snapshots',
  description: 'The snapshots that were loaded, one for each run date.',
  primaryKey: ['run_date'],
  dateColumn: 'run_date',
  columns: [
    column('run_date', 'date', 'The day the snapshot is filed under (UTC).'),
    column('run_id', 'string', 'The run that took it; its manifest has the same.'),
    column('status', 'string', 'complete, or incomplete: an organisation could not be read.'),
    column('is_full', 'boolean', 'Whether it was asked for everything; only such a snapshot can be current.'),
    column('scope', 'string', 'What was asked for, as JSON: streams and organisations.'),
    column('organizations', 'count', 'Rows in organizations_snapshot.'),
    column('users', 'count', 'Rows in users_snapshot.'),
    column('gone', 'count', 'Organisations that were unlinked during the run.'),
    column('failed', 'count', 'Organisations that could not be read.'),
    column('extracted_at', 'timestamp', 'When the last page had been read from the API.'),
    column('loaded_at', 'timestamp', 'When it was loaded here.'),
  ],
};

/** Every table, in the order in which they are made. */
export const tables: readonly Table[] = [...snapshotTables, snapshotsTable];

/** The row that `snapshots` gets for a manifest; `loaded_at` is the engine's own clock. */
export function snapshotRow(manifest: Manifest): Readonly<Record<string, SqlValue>> {
  const { totals, run_date, run_id, status, scope, extracted_at } = manifest;
  return {
    run_date,
    run_id,
    status,
    is_full: isFull(scope),
    scope: JSON.stringify(scope),
    organizations: totals.organizations,
    users: totals.users,
    gone: totals.gone,
    failed: totals.failed,
    extracted_at,
  };
}
