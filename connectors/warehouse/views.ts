import { streams } from '../../src/index.js';
import { columnNames, type Dialect } from './ddl.js';
import { accessView, currentAccessView } from './effective-access.js';
import { createHistoryView, historyViewName } from './history.js';
import { type SnapshotTable, snapshotsTable, snapshotTables } from './model.js';

/** The views that a warehouse has. */
export const viewNames = ({ history }: Dialect): string[] => [
  ...snapshotTables.map(({ currentView }) => currentView),
  accessView.name,
  currentAccessView.name,
  ...(history ? streams.map(historyViewName) : []),
];

/** `CREATE VIEW` for each of them. */
export const createViews = (dialect: Dialect, schema: string): string[] => [
  ...snapshotTables.map((table) => createCurrentView(table, dialect, schema)),
  accessView.create({ dialect, schema }),
  currentAccessView.create({ dialect, schema }),
  ...createHistoryViews(dialect, schema),
];

function createHistoryViews(dialect: Dialect, schema: string): string[] {
  const { history } = dialect;
  if (!history) return [];
  return snapshotTables.flatMap((table) => {
    const stream = streams.find(({ name }) => name === table.stream);
    return stream ? [createHistoryView({ stream, table, schema, dialect, history })] : [];
  });
}

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
