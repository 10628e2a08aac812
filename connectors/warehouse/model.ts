import { EXTRA, type Field, type FieldType, type Manifest, type Stream, streams } from '../../src/index.js';

/**
 * What every warehouse holds, whatever it is: for each stream a table with the rows of every run date and a view on the
 * newest complete one, a table of what was loaded, and one of the lists that were not read.
 */

/** A field's type, or one of the tables of the warehouse's own. */
export type ColumnType = FieldType | 'count';

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
  readonly columns: readonly Field[];
  /** The columns that say whose list a row is from; none for a stream without a parent. */
  readonly parentColumns: readonly string[];
  /** The column that holds what has no column of its own. */
  readonly extraColumn: string;
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
    parentColumns: parentColumnsOf(stream),
    extraColumn: EXTRA.name,
    ownKey: key,
    dateColumn: 'snapshot_date',
  };
}

const parentColumnsOf = ({ parent }: Stream): string[] =>
  parent ? [...parentColumnsOf(parent.stream), parent.column] : [];

/** The tables that are loaded from files, one for each stream. */
export const snapshotTables: readonly SnapshotTable[] = streams.map(snapshotTable);

const column = (name: string, type: ColumnType, description: string): Column => ({
  name,
  type,
  description,
  nullable: false,
});

const nullable = (required: Column): Column => ({ ...required, nullable: true });

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
      'manifest_sha256',
      'string',
      'SHA-256 of the manifest that was loaded, as the log of the root has it: what was compacted since has another.',
    ),
    column(
      'status',
      'string',
      'Of the snapshot, with all its streams. complete: everything was read. scoped: less was asked for. incomplete: a list could not be read.',
    ),
    column(
      'is_complete',
      'boolean',
      'Whether the stream is known: of all organisations, no list failed, and not all of them are unavailable.',
    ),
    column('has_all_organizations', 'boolean', 'Whether all organisations were asked for.'),
    column('scope', 'string', 'What was asked for, as JSON: streams and organisations.'),
    column(
      'columns',
      'string',
      'The columns of its files, as JSON: of each the key of the pseudonyms in it, or an empty text. A column that they do not have is null in every row.',
    ),
    column('row_count', 'count', 'Rows of this stream.'),
    column('slice_count', 'count', 'Lists of this stream, such as one for each organisation.'),
    column('gone_count', 'count', 'Lists whose organisation, role or group was removed during the run.'),
    column(
      'unavailable_count',
      'count',
      'Lists that the API does not serve, because they are not enabled: nothing is known of their rows.',
    ),
    column('failed_count', 'count', 'Lists that could not be read: nothing is known of their rows.'),
    column('extracted_at', 'timestamp', 'When the last page had been read from the API.'),
    column('loaded_at', 'timestamp', 'When it was loaded here.'),
  ],
};

const everyParentColumn = [...new Set(snapshotTables.flatMap(({ parentColumns }) => parentColumns))];

const listColumns: readonly Column[] = [
  column('run_date', 'date', 'The day the snapshot is filed under (UTC).'),
  column('stream', 'string', 'The stream that the list is of.'),
  ...everyParentColumn.map((name) =>
    nullable(column(name, 'string', 'Whose list it is; null where lists of the stream have no such parent.')),
  ),
];
const listKey = listColumns.map(({ name }) => name);

/** The lists that were not read. */
export const unreadListsTable: Table = {
  name: 'unread_lists',
  description:
    'The lists of each run date that were not read. Every other list of the streams in snapshots was read.',
  primaryKey: listKey,
  dateColumn: 'run_date',
  columns: [
    ...listColumns,
    column(
      'verdict',
      'string',
      'failed: it could not be read. unavailable: the API does not serve it, because it is not enabled. gone: what it belongs to was removed during the run.',
    ),
    nullable(column('reason', 'string', 'The code of the error.')),
  ],
};

/** The lists of which it would not be known that they were read: by them, an empty one and one that nobody asked for differ. */
export const readListsTable: Table = {
  name: 'read_lists',
  description:
    'The lists of each run date that were read although the list above them was not: the users of an organisation where not all organisations were asked for.',
  primaryKey: listKey,
  dateColumn: 'run_date',
  columns: listColumns,
};

/** What is known of single lists. */
export const listTables: readonly Table[] = [unreadListsTable, readListsTable];

/** Every table, in the order in which they are made. */
export const tables: readonly Table[] = [...snapshotTables, snapshotsTable, ...listTables];

/** The tables that a snapshot has rows for, the empty ones included. */
export const tablesOf = (manifest: Manifest): SnapshotTable[] =>
  snapshotTables.filter(({ stream }) => manifest.tables[stream]);
