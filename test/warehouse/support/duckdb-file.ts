import { DuckDBInstance } from '@duckdb/node-api';
import { type SnapshotTable, snapshotTables } from '../../../connectors/warehouse/model.js';
import type { TextRow } from './served.js';

/** The table of a stream. */
export const tableOf = (stream: string): SnapshotTable =>
  snapshotTables.find((table) => table.stream === stream) as SnapshotTable;

/** The rows of a query on a DuckDB file, as plain values. */
export async function query(database: string, sql: string): Promise<Record<string, unknown>[]> {
  const instance = await DuckDBInstance.create(database, { access_mode: 'READ_ONLY' });
  const connection = await instance.connect();
  try {
    await connection.run("SET TimeZone = 'UTC'");
    const rows = (await connection.runAndReadAll(sql)).getRowObjectsJson();
    return rows as Record<string, unknown>[];
  } finally {
    connection.closeSync();
    instance.closeSync();
  }
}

/** Every row of a table or view as text. */
export async function textRows(
  database: string,
  table: SnapshotTable,
  from = table.name,
): Promise<TextRow[]> {
  const columns = table.columns.map(({ name, type }) =>
    type === 'timestamp'
      ? `CAST(epoch_us(${name}) AS VARCHAR) AS ${name}`
      : `CAST(${name} AS VARCHAR) AS ${name}`,
  );
  return (await query(database, `SELECT ${columns.join(', ')} FROM ${from}`)) as TextRow[];
}
