import { join } from 'node:path';
import { ConfigError } from '../errors.js';
import { existingLog, snapshotPruned } from '../lake/existing-log.js';
import { checkLog, type Log, runDatesOf } from '../lake/log.js';
import type { Manifest } from '../lake/manifest.js';
import { readCurrent } from '../lake/manifest-file.js';
import { storageError } from '../storage/local-error.js';
import { makeFolder } from '../storage/make-folder.js';
import { Partitions } from '../storage/partitions.js';
import { openScratch } from '../storage/scratch.js';
import type { Storage } from '../storage/storage.js';
import { streams as allStreams } from '../streams/index.js';
import type { ChangeRow } from './changes.js';
import { diffStream } from './diff-stream.js';

export interface DiffOptions {
  /** A root that dump wrote to. */
  storage: Storage;
  /** The run date of the earlier snapshot. Default: of the complete snapshot before `to`. */
  from?: string | undefined;
  /** The run date of the later snapshot. Default: of the newest complete one. */
  to?: string | undefined;
  /** The names of the streams to compare. Default: all that one of the two has. */
  streams?: readonly string[] | undefined;
  /** Only these organisations (UUIDs), of streams that have a list for each. */
  organizations?: readonly string[] | undefined;
  /** A local folder for temporary files: rows whose other side is far away. They are for their owner only, and removed at the end. */
  scratch: string;
  signal?: AbortSignal | undefined;
}

/** Two snapshots, and what differs between them. */
export interface Diff {
  readonly from: Manifest;
  readonly to: Manifest;
  /** Batches of the rows of `changesSchema`, as a sink takes them; to be read once. */
  changes(): AsyncGenerator<ChangeRow[], void, void>;
}

/**
 * Compares two snapshots of a root. Something is said only of lists that both have read completely; every other list is a row
 * `unknown`. Lists that were served alike are not read. Memory does not grow with the number of rows.
 * @throws ConfigError `snapshot_missing`, `snapshots_too_few`, `dates_not_in_order`; RefusedError `snapshot_pruned`; what reading the files
 *   throws
 */
export async function diffSnapshots(options: DiffOptions): Promise<Diff> {
  const { storage, streams: asked, organizations, scratch, signal } = options;
  const { from, to } = await chooseTwo(options);
  const compared = allStreams.filter(({ name }) => asked?.includes(name) ?? true);
  return { from, to, changes };

  async function* changes(): AsyncGenerator<ChangeRow[], void, void> {
    const folder = await openScratch(scratch).catch((error: unknown) => {
      throw storageError('writing', scratch, error);
    });
    let places = 0;
    const partitions = async (): Promise<Partitions> => {
      places += 1;
      const place = join(folder.path, String(places));
      await makeFolder(place, 0o700);
      return new Partitions(place);
    };
    try {
      const sides = { before: { storage, manifest: from }, after: { storage, manifest: to } };
      for (const stream of compared)
        for await (const rows of diffStream({ ...sides, stream, partitions, organizations, signal }))
          if (rows.length > 0) yield rows;
    } finally {
      await folder.remove();
    }
  }
}

async function chooseTwo({ storage, from, to }: DiffOptions): Promise<{ from: Manifest; to: Manifest }> {
  const log = await existingLog(storage, to ?? from);
  checkLog(log, storage);
  const later = to === undefined ? await newestComplete(storage, log) : await published(storage, log, to);
  if (from !== undefined && from >= later.run_date)
    throw new ConfigError(`${from} is not before ${later.run_date}: give the earlier day first.`, {
      code: 'dates_not_in_order',
    });
  const earlier =
    from === undefined
      ? await newestComplete(storage, log, later.run_date)
      : await published(storage, await existingLog(storage, from), from);
  return { from: earlier, to: later };
}

/** @throws ConfigError `snapshots_too_few` */
async function newestComplete(storage: Storage, log: Log, before?: string): Promise<Manifest> {
  for (const runDate of runDatesOf(log)) {
    if (before !== undefined && runDate >= before) continue;
    const manifest = (await readCurrent(storage, log, runDate))?.manifest;
    if (manifest?.status === 'complete') return manifest;
  }
  throw new ConfigError(
    `There is no complete snapshot${before === undefined ? '' : ` before ${before}`} in ${storage.location} to compare with. Name two days that were read: diff 2026-01-30 2026-01-31.`,
    { code: 'snapshots_too_few' },
  );
}

async function published(storage: Storage, log: Log, runDate: string): Promise<Manifest> {
  const manifest = (await readCurrent(storage, log, runDate))?.manifest;
  if (!manifest || manifest.status === 'pruned') throw snapshotPruned(runDate);
  return manifest;
}
