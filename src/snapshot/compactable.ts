import { ConfigError } from '../errors.js';
import { SCHEMA_VERSION, usersSchema } from '../schema.js';
import { createSink, inspectFile } from '../sinks/index.js';
import type { Storage } from '../storage/storage.js';
import { RefusedError } from './guard.js';
import { readText, sha256Of } from './json-file.js';
import { isLogged, readLog } from './log.js';
import { type Manifest, manifestFiles } from './manifest.js';
import { readManifest } from './manifest-file.js';
import { dateFolder, manifestKey } from './partition.js';
import { checkRegroups, type RegroupingSink } from './regroup.js';

/** @throws ConfigError `snapshot_missing`, RefusedError `snapshot_pruned` */
export async function existingManifest(storage: Storage, runDate: string): Promise<Manifest> {
  const manifest = await readManifest(storage, runDate);
  if (!manifest) {
    throw new ConfigError(
      `There is no snapshot of ${runDate} in ${storage.location}. Check --out (a dump of several formats has a folder for each below it), or name another --run-date.`,
      { code: 'snapshot_missing' },
    );
  }
  if (manifest.status !== 'pruned') return manifest;
  throw new RefusedError(`The snapshot of ${runDate} was pruned: it has no files.`, 'snapshot_pruned');
}

/**
 * Only what is as it was published is laid out anew: a compaction must not hide what verify would tell.
 * @returns the manifest as it lies there
 * @throws ConfigError `schema_version_unknown`, `nothing_to_compact`; RefusedError `manifest_differs`, `files_unknown`
 */
export async function checkCompactable(
  manifest: Manifest,
  storage: Storage,
): Promise<{ text: string; sha256: string }> {
  const { run_date: runDate, schema_version: version, scope } = manifest;
  const what = `the snapshot of ${runDate} in ${storage.location}`;
  if (version !== SCHEMA_VERSION) {
    throw new ConfigError(
      `The columns of ${what} are those of version ${version}; this connector writes version ${SCHEMA_VERSION}. Compact it with the version that took it.`,
      { code: 'schema_version_unknown' },
    );
  }
  if (!scope.streams.includes(usersSchema.name)) {
    throw new ConfigError(`There are no users in ${what}: nothing can be laid out anew.`, {
      code: 'nothing_to_compact',
    });
  }
  const text = (await readText(storage, manifestKey(runDate))) ?? '';
  const sha256 = sha256Of(text);
  if (!isLogged(await readLog(storage), runDate, sha256)) {
    throw new RefusedError(
      `The log does not tell of the manifest of ${what}. Nothing was changed; see what claude-compliance verify says of it.`,
      'manifest_differs',
    );
  }
  const unknown = await unlistedUsers(manifest, storage);
  if (unknown.length > 0) {
    throw new RefusedError(
      `Among the files of ${what} there are ${unknown.length} that its manifest does not list; they would be lost. Nothing was changed: claude-compliance verify names them.`,
      'files_unknown',
    );
  }
  return { text, sha256 };
}

/** The files of users at a run date that its manifest does not list. */
export async function unlistedUsers(manifest: Manifest, storage: Storage): Promise<string[]> {
  const listed = new Set(manifestFiles(manifest).map(({ path }) => path));
  const unlisted: string[] = [];
  for await (const { key } of storage.list(dateFolder(usersSchema.name, manifest.run_date)))
    if (!listed.has(key)) unlisted.push(key);
  return unlisted;
}

/** What writes files like those that lie there. */
export async function sinkOf(manifest: Manifest, storage: Storage): Promise<RegroupingSink> {
  const path = manifestFiles(manifest).find(({ table }) => table === usersSchema.name)?.path;
  const content =
    path === undefined ? undefined : await inspectFile(manifest.format, path, storage.read(path));
  const sink = createSink(manifest.format, content?.compression ? { compression: content.compression } : {});
  checkRegroups(sink);
  return sink;
}
