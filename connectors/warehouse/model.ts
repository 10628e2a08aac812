import {
  ancestorsOf,
  type FieldType,
  isComplete,
  type Manifest,
  type Stream,
  streams,
} from '../../src/index.js';
import type { SqlValue } from './sql.js';

/**
 * What every warehouse holds, whatever it is: for each stream a table with the rows of every run date and a view on the
 * newest complete one, and a table of what was loaded.
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
  readonly columns: readonly Column[];
  readonly primaryKey: readonly string[];
  /** The column that holds the run date, by which the table is replaced. */
  readonly dateColumn: string;
}

/** The table of a stream, loaded from files. */
export interface SnapshotTable extends Table {
  /** The name of the stream, which is the table's in the manifest. */
  readonly stream: string;
  /** The columns that say whose list a row is from; none for a stream without a parent. */
  readonly parentColumns: readonly string[];
  /** The columns that name a row within its list. */
  readonly ownKey: readonly string[];
  /** The view on the newest complete run date. */
  readonly currentView: string;
}

function snapshotTable(stream: Stream): SnapshotTable {
  const { name, description, schema, key } = stream;
  return {
    name: `${name}_snapshot`,
    stream: name,
    currentView: `${name}_current`,
    description: `${description} The rows of every run date that was loaded.`,
    columns: schema.fields,
    primaryKey: ['snapshot_date', ...schema.primaryKey],
    parentColumns: [...ancestorsOf(stream), stream].flatMap(({ parent }) => (parent ? [parent.column] : [])),
    ownKey: key,
    dateColumn: 'snapshot_date',
  };
}

/** The tables that are loaded from files, one for each stream. */
export const snapshotTables: readonly SnapshotTable[] = streams.map(snapshotTable);

const column = (name: string, type: ColumnType, description: string): Column => ({
  name,
  type,
  description,
  nullable: false,
});

/** What was loaded: one row for each run date and stream. */
export const snapshotsTable: Table = {
  name: 'snapshots',
  description: 'What was loaded, one row for each run date and stream.',
  primaryKey: ['run_date', 'stream'],
  dateColumn: 'run_date',
  columns: [
    column('run_date', 'date', 'The day the snapshot is filed under (UTC).'),
    column('stream', 'string', 'The stream whose table holds the rows: users for users_snapshot.'),
    column('run_id', 'string', 'The run that read the API; the manifest of the snapshot has the same.'),
    column(
      'status',
      'string',
      'Of the snapshot, with all its streams. complete: everything was read. scoped: less was asked for. incomplete: a list could not be read.',
    ),
    column('is_complete', 'boolean', 'Whether every list of this stream was read, of all organisations.'),
    column('scope', 'string', 'What was asked for, as JSON: streams and organisations.'),
    column('row_count', 'count', 'Rows of this stream.'),
    column('slice_count', 'count', 'Lists of this stream, such as one for each organisation.'),
    column('gone_count', 'count', 'Lists whose organisation was unlinked during the run.'),
    column('failed_count', 'count', 'Lists that could not be read.'),
    column('extracted_at', 'timestamp', 'When the last page had been read from the API.'),
    column('loaded_at', 'timestamp', 'When it was loaded here.'),
  ],
};

/** Every table, in the order in which they are made. */
export const tables: readonly Table[] = [...snapshotTables, snapshotsTable];

/** The tables that a snapshot has rows for, the empty ones included. */
export const tablesOf = (manifest: Manifest): SnapshotTable[] =>
  snapshotTables.filter(({ stream }) => manifest.tables[stream]);

/** A row of `snapshots`; `loaded_at` is the engine's own clock. */
export type SnapshotRow = Readonly<Record<string, SqlValue>>;

/** The rows that `snapshots` gets for a manifest, one for each stream that it holds. */
export function snapshotRows(manifest: Manifest): SnapshotRow[] {
  const { run_date, run_id, status, scope, extracted_at } = manifest;
  return Object.entries(manifest.tables).map(([stream, { rows, slices }]) => ({
    run_date,
    stream,
    run_id,
    status,
    is_complete: isComplete(manifest, stream),
    scope: JSON.stringify(scope),
    row_count: rows,
    slice_count: slices.length,
    gone_count: slices.filter(({ verdict }) => verdict === 'gone').length,
    failed_count: slices.filter(({ verdict }) => verdict === 'failed').length,
    extracted_at,
  }));
}
