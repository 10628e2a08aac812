import { DuckDBInstance } from '@duckdb/node-api';

const STREAMS = [
  'organizations',
  'users',
  'groups',
  'group_members',
  'role_permissions',
  'organization_settings',
];

/** Asks DuckDB about the files of a root: an implementation that is not ours. */
export async function openFigures(root: string, streams = STREAMS) {
  const instance = await DuckDBInstance.create();
  const connection = await instance.connect();
  const files = (stream: string) =>
    `read_json('${root}/${stream}/**/part-*', hive_partitioning = true, union_by_name = true)`;
  for (const stream of streams)
    await connection.run(
      `CREATE VIEW ${stream} AS SELECT *, CAST(run_date AS VARCHAR) AS day FROM ${files(stream)}`,
    );
  const rows = async (sql: string): Promise<(string | number | null)[][]> =>
    (await connection.runAndReadAll(sql)).getRowsJson().map((row) => row.map((cell) => asPlain(cell)));
  return {
    rows,
    /** Memberships that came, went and moved from one day to another. */
    movement: async (from: string, to: string): Promise<(string | number | null)[]> => {
      const on = (day: string) => `SELECT id, organization_uuid FROM users WHERE day = '${day}'`;
      const only = (one: string, other: string) =>
        `SELECT id, count(*) AS n FROM (${on(one)} EXCEPT ${on(other)}) GROUP BY id`;
      const [first] = await rows(`
        SELECT coalesce(sum(greatest(joined - gone, 0)), 0), coalesce(sum(greatest(gone - joined, 0)), 0), coalesce(sum(least(joined, gone)), 0)
        FROM (SELECT coalesce(j.n, 0) AS joined, coalesce(l.n, 0) AS gone
          FROM (${only(to, from)}) j FULL JOIN (${only(from, to)}) l USING (id))`);
      return first ?? [];
    },
    close(): void {
      connection.closeSync();
      instance.closeSync();
    },
  };
}
export type Figures = Awaited<ReturnType<typeof openFigures>>;

/** Large integers come as texts. */
const asPlain = (cell: unknown): string | number | null =>
  typeof cell === 'string' && /^\d{1,15}$/.test(cell) ? Number(cell) : (cell as string | number | null);
