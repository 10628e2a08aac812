import { existingLog, snapshotPruned } from '../lake/existing-log.js';
import { fileRows, type PublishedSnapshot } from '../lake/file-rows.js';
import { checkLog, runDatesOf } from '../lake/log.js';
import { type Manifest, manifestFiles } from '../lake/manifest.js';
import { newestWith, readCurrent } from '../lake/manifest-file.js';
import type { Storage } from '../storage/storage.js';
import { groupMembers } from '../streams/group-members.js';
import { groups } from '../streams/groups.js';
import { rolePermissions } from '../streams/role-permissions.js';
import { roles } from '../streams/roles.js';
import type { Stream } from '../streams/stream.js';
import { users } from '../streams/users.js';
import type { Directory, DirectoryTable } from './directory.js';

/**
 * The manifest of a snapshot that has its files; by default the newest.
 * @throws ConfigError `snapshot_missing`; RefusedError `snapshot_pruned`; StorageError
 */
export async function chooseSnapshot(storage: Storage, runDate: string | undefined): Promise<Manifest> {
  const log = await existingLog(storage, runDate);
  checkLog(log, storage);
  const [newest = ''] = runDatesOf(log);
  const manifest =
    runDate === undefined
      ? await newestWith({ storage, log, streams: [] })
      : (await readCurrent(storage, log, runDate))?.manifest;
  if (!manifest || manifest.status === 'pruned') throw snapshotPruned(runDate ?? newest);
  return manifest;
}

/** The tables of a snapshot, as its files hold them. */
export function directoryOf(storage: Storage, manifest: Manifest): Directory {
  const { run_date, scope } = manifest;
  const table = (stream: Stream): DirectoryTable | undefined => tableOf(stream, { storage, manifest });
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

function tableOf(stream: Stream, place: PublishedSnapshot): DirectoryTable | undefined {
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
