import { columnNames, type Dialect } from './ddl.js';
import { accessView, currentAccessView } from './effective-access.js';
import { type SnapshotTable, snapshotsTable, snapshotTables } from './model.js';

/** The views that every warehouse has. */
export const viewNames: readonly string[] = [
  ...snapshotTables.map(({ currentView }) => currentView),
  accessView.name,
  currentAccessView.name,
];

/** `CREATE VIEW` for each of them. */
export const createViews = (dialect: Dialect, schema: string): string[] => [
  ...snapshotTables.map((table) => createCurrentView(table, dialect, schema)),
  accessView.create({ dialect, schema }),
  currentAccessView.create({ dialect, schema }),
];

/** The view on the newest run date that holds a stream completely, in a snapshot that is complete. */
function createCurrentView(table: SnapshotTable, { quoting }: Dialect, schema: string): string {
  const { name, value } = quoting;
  return `CREATE OR REPLACE VIEW ${name(schema, table.currentView)} AS
SELECT ${columnNames(table, quoting)}
FROM ${name(schema, table.name)}
WHERE ${name(table.dateColumn)} = (
  SELECT max(${name('run_date')}) FROM ${name(schema, snapshotsTable.name)}
  WHERE ${name('stream')} = ${value(table.stream)} AND ${name('is_complete')} AND ${name('status')} = ${value('complete')}
)`;
}
