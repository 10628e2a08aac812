import type { FixtureApi } from '../../../fixtures/api/index.js';
import { createSink, type Manifest, type StreamSchema, users } from '../../../src/index.js';
import { take } from '../../run/support/tree.js';
import { servedRows } from '../../served-rows.js';
import { rewriteFile, rewriteManifest } from './rewrite.js';
import { type TextRow, textRow } from './served.js';

/** The columns of users that the older version does not know. */
const UNKNOWN: readonly string[] = ['organization_role', 'created_at'];

const OLDER: StreamSchema = {
  ...users.schema,
  fields: users.schema.fields.filter(({ name }) => !UNKNOWN.includes(name)),
};

/** The rows of users as they are loaded from such a snapshot. */
export const olderUsers = (api: FixtureApi, runDate: string): TextRow[] =>
  servedRows(api, runDate).users.map((row) => ({
    ...Object.fromEntries(UNKNOWN.map((name) => [name, null])),
    ...textRow(row, OLDER),
  }));

/** A snapshot as a version would have written it that did not know some columns of users. */
export async function takeOlder(api: FixtureApi, root: string, format: string): Promise<Manifest> {
  const manifest = await take(api, root, { sink: createSink(format) });
  const table = manifest.tables.users;
  if (!table) throw new Error('the snapshot holds users');
  const rows = servedRows(api, manifest.run_date).users;
  table.columns = OLDER.fields.map(({ name }) => name);
  for (const slice of table.slices) {
    const own = rows.filter((row) => row.organization_uuid === slice.parent.organization_uuid);
    const rewritten = slice.files.map((file) =>
      rewriteFile(root, file, { format, schema: OLDER, rows: own }),
    );
    slice.files = await Promise.all(rewritten);
  }
  await rewriteManifest(root, manifest);
  return manifest;
}
