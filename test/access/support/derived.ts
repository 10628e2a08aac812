import { type AccessRequest, accessRows } from '../../../src/access/access-rows.js';
import type { Directory, DirectoryTable } from '../../../src/access/directory.js';
import type { AccessRow } from '../../../src/access/schema.js';
import type { Row } from '../../../src/index.js';
import { Partitions, type PartitionsOptions } from '../../../src/storage/partitions.js';
import type { PlainDirectory, PlainTable } from './reference.js';

/** A directory in memory as the source reads it, a few rows at a time. */
export function directoryIn(plain: PlainDirectory): Directory {
  const table = <R extends object>(given: PlainTable<R> | undefined): DirectoryTable | undefined =>
    given && {
      lists: given.lists,
      async *rows() {
        for (let at = 0; at < given.rows.length; at += 3)
          yield given.rows.slice(at, at + 3) as unknown as Row[];
      },
    };
  return {
    snapshotDate: plain.snapshotDate,
    hasAllOrganizations: plain.hasAllOrganizations,
    users: table(plain.users),
    roles: table(plain.roles),
    rolePermissions: table(plain.rolePermissions),
    groups: table(plain.groups),
    groupMembers: table(plain.groupMembers),
  };
}

/** Every row that the source derives. @param folder for partitions; it must be empty */
export async function derivedRows(
  plain: PlainDirectory,
  { folder = '/nonexistent', ...options }: PartitionsOptions & { folder?: string } = {},
): Promise<AccessRow[]> {
  const request: AccessRequest = {
    directory: directoryIn(plain),
    partitions: new Partitions(folder, options),
  };
  const rows: AccessRow[] = [];
  for await (const batch of accessRows(request)) rows.push(...batch);
  return rows;
}
