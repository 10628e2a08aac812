import type { PublishedSnapshot } from '../lake/file-rows.js';
import { Partitions } from '../storage/partitions.js';
import { openScratch } from '../storage/scratch.js';
import { streams as allStreams } from '../streams/index.js';
import { tableNotRead } from './change-maker.js';
import type { ChangeRow } from './changes.js';
import { diffStream } from './diff-stream.js';
import { selectionOf } from './selection.js';

export interface ComparisonOptions {
  /** The names of the streams to compare. Default: all that one of the two has. */
  streams?: readonly string[] | undefined;
  /** Only these organisations (UUIDs), and what belongs to none: a group, a key. Default: all. */
  organizations?: readonly string[] | undefined;
  /** A local folder for temporary files: rows whose other side is far away. They are for their owner only, and removed at the end. */
  scratch: string;
  signal?: AbortSignal | undefined;
}

/** Two snapshots whose files can be read; each may be in a root and a format of its own. */
export interface Comparison extends ComparisonOptions {
  before: PublishedSnapshot;
  after: PublishedSnapshot;
}

/** Rows of a batch. */
const BATCH = 1000;

/**
 * What differs between two snapshots: batches of the rows of `changesSchema`, as a sink takes them. Something is said only of lists
 * that both have read completely; every other list is a row `unknown`. Lists that were served alike are not read.
 *
 * The same two snapshots give the same rows in the same order, whatever their formats, layouts and the order of the API: stream
 * after stream, list after list in the order of their keys, records in an order that their keys alone decide. Memory does not grow
 * with the number of rows.
 * @throws ConfigError `organization_not_listed`, `pseudonyms_differ`; what reading the files throws, also after rows were returned: they count only when
 *   the end is reached
 */
export function compareSnapshots(comparison: Comparison): AsyncGenerator<ChangeRow[], void, void> {
  const { before, after, organizations, signal } = comparison;
  const manifests = [before.manifest, after.manifest];
  const selection = selectionOf(organizations, manifests);
  return inBatches(changes());

  async function* changes(): AsyncGenerator<ChangeRow[], void, void> {
    signal?.throwIfAborted();
    const folder = await openScratch(comparison.scratch);
    let places = 0;
    const partitions = () => new Partitions(folder.path, { name: `rows-${places++}` });
    try {
      for (const name of tablesOf(comparison)) {
        const stream = allStreams.find((known) => known.name === name);
        const isRead = manifests.some(({ tables }) => tables[name]);
        if (stream && isRead) yield* diffStream({ stream, before, after, selection, partitions, signal });
        else yield [tableNotRead(name, manifests, isRead ? 'stream_not_known' : 'stream_not_read')];
      }
    } finally {
      await folder.remove();
    }
  }
}

/** Those that were asked for, or those that one of the two has; one of a newer version comes last. */
function tablesOf({ streams: asked, before, after }: Comparison): string[] {
  const known = allStreams.map(({ name }) => name);
  const read = [before, after].flatMap(({ manifest }) => Object.keys(manifest.tables));
  const wanted = new Set(asked ?? read);
  return [
    ...known.filter((name) => wanted.has(name)),
    ...[...wanted].filter((name) => !known.includes(name)).sort(),
  ];
}

async function* inBatches(
  all: AsyncGenerator<ChangeRow[], void, void>,
): AsyncGenerator<ChangeRow[], void, void> {
  for await (const rows of all)
    for (let from = 0; from < rows.length; from += BATCH) yield rows.slice(from, from + BATCH);
}
