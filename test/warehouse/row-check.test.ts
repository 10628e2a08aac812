import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Duckdb, openDuckdb } from '../../connectors/warehouse/duckdb/connection.js';
import { checkRows } from '../../connectors/warehouse/source/row-check.js';
import type { Manifest } from '../../src/index.js';
import { tableOf } from './support/duckdb-file.js';

const RUN_DATE = '2026-11-23';

describe('the check of the rows of a table whose key may hold nulls', () => {
  let duckdb: Duckdb;

  beforeAll(async () => {
    duckdb = await openDuckdb(':memory:', new AbortController().signal);
  });
  afterAll(() => duckdb.close());

  type Permission = [action: string, resourceType: string | null, resourceId: string | null];

  /** Checks the permissions of one role, of which the manifest counts as many. */
  const check = (permissions: readonly Permission[]): Promise<void> => {
    const table = tableOf('role_permissions');
    const parent = { organization_uuid: 'o', role_id: 'r' };
    const rows = permissions.map((values) => {
      const texts = ['o', 'r', ...values].map((value) => (value === null ? 'NULL' : `'${value}'`));
      return `(${texts.join(', ')}, DATE '${RUN_DATE}')`;
    });
    const columns = [...table.parentColumns, ...table.ownKey, 'snapshot_date'];
    const manifest = {
      run_date: RUN_DATE,
      tables: { [table.stream]: { slices: [{ parent, rows: permissions.length }] } },
    } as unknown as Manifest;
    const from = `(SELECT * FROM (VALUES ${rows.join(', ')}) AS given(${columns.join(', ')}))`;
    return checkRows({ duckdb, manifest, table, from });
  };

  it('takes rows that differ in a null only, and a null for another value than an empty text', async () => {
    await check([
      ['use', null, null],
      ['use', 'connector', null],
      ['use', null, 'connector'],
      ['use', '', null],
      ['use', null, ''],
      ['grant', null, null],
    ]);
  });

  it('refuses a row that is there twice, nulls included', async () => {
    const refused = { code: 'rows_differ' };
    for (const twice of [
      ['use', null, null],
      ['use', 'connector', null],
      ['use', 'connector', 'c'],
    ] satisfies Permission[])
      await expect(check([twice, ['grant', null, null], twice])).rejects.toMatchObject(refused);
  });
});
