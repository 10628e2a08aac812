import { fileRows, type PublishedSnapshot } from '../lake/file-rows.js';
import { manifestFiles } from '../lake/manifest.js';
import { groupMembers } from '../streams/group-members.js';
import { groups } from '../streams/groups.js';
import { rolePermissions } from '../streams/role-permissions.js';
import { roles } from '../streams/roles.js';
import type { Stream } from '../streams/stream.js';
import { users } from '../streams/users.js';
import type { Directory, DirectoryTable } from './directory.js';

/** The tables of a snapshot, as its files hold them. */
export function directoryOf(snapshot: PublishedSnapshot): Directory {
  const { run_date, scope } = snapshot.manifest;
  const table = (stream: Stream): DirectoryTable | undefined => tableOf(stream, snapshot);
  return {
    snapshotDate: run_date,
    hasAllOrganizations: scope.organizations === 'all',
    users: table(users),
    roles: table(roles),
    rolePermissions: table(rolePermissions),
    groups: table(groups),
    groupMembers: table(groupMembers),
  };
}

/** One table of a snapshot; undefined when it does not have it. */
export function tableOf(stream: Stream, place: PublishedSnapshot): DirectoryTable | undefined {
  const table = place.manifest.tables[stream.name];
  if (!table) return undefined;
  const files = manifestFiles(place.manifest).filter((file) => file.table === stream.name);
  return {
    lists: table.slices,
    async *rows() {
      for (const file of files) yield* fileRows(file, stream.schema, place);
    },
  };
}
