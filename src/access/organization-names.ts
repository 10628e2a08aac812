import type { PublishedSnapshot } from '../lake/file-rows.js';
import { organizations } from '../streams/organizations.js';
import { type DirectoryTable, textOf } from './directory.js';
import { tableOf } from './snapshot-directory.js';

/** The organisations of a snapshot with their names, as far as their list was read: a few thousand, which are held. */
export async function organizationNames(snapshot: PublishedSnapshot): Promise<Map<string, string | null>> {
  const names = new Map<string, string | null>();
  const table: DirectoryTable | undefined = tableOf(organizations, snapshot);
  for await (const rows of table?.rows() ?? [])
    for (const row of rows) names.set(textOf(row, 'uuid') ?? '', textOf(row, 'name'));
  return names;
}
