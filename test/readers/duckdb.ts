import { DuckDBInstance } from '@duckdb/node-api';

/** Runs statements with DuckDB. @returns the sum of `members` for each that gives some */
export async function membersBy(code: string): Promise<number[]> {
  const instance = await DuckDBInstance.create();
  const connection = await instance.connect();
  try {
    const sums: number[] = [];
    for (const statement of code.split(';\n').filter((statement) => statement.trim() !== '')) {
      const rows = (await connection.runAndReadAll(statement)).getRowObjects();
      if (rows.some((row) => 'members' in row))
        sums.push(rows.reduce((sum, row) => sum + Number(row.members), 0));
    }
    return sums;
  } finally {
    connection.closeSync();
    instance.closeSync();
  }
}
