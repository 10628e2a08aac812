import { ConfigError } from '../errors.js';
import { existingLog } from '../lake/existing-log.js';
import { checkLog, runDatesOf } from '../lake/log.js';
import type { Manifest } from '../lake/manifest.js';
import { readCurrent } from '../lake/manifest-file.js';
import type { Pseudonyms } from '../model/pseudonyms.js';
import { Partitions } from '../storage/partitions.js';
import { openScratch } from '../storage/scratch.js';
import type { Storage } from '../storage/storage.js';
import { streams as allStreams } from '../streams/index.js';
import { keyText, type ParentKey } from '../streams/stream.js';
import type { HistoryRow } from './history-row.js';
import { type Chosen, chosenIn, type Subject } from './selection.js';
import { streamHistory } from './stream-history.js';

export interface HistoryOptions {
  /** A root that dump wrote to. */
  storage: Storage;
  /** Whose history it is. */
  subject: Subject;
  /** The first run date. Default: the oldest that was not pruned. */
  since?: string | undefined;
  /** The last run date. Default: the newest. */
  until?: string | undefined;
  /** Replaces what names a person, on days that do not have pseudonyms yet. */
  pseudonyms?: Pseudonyms | undefined;
  /** A local folder for temporary files: what changed in many rows. They are for their owner only, and removed at the end. */
  scratch: string;
  signal?: AbortSignal | undefined;
}

/** The history of a person or an organisation. */
export interface History {
  /** The run dates that it is made from, in order. A day between them that nobody took is in no way special. */
  readonly days: readonly string[];
  /**
   * Batches of the rows of `historySchema`: stream after stream, record after record in an order that their keys alone decide, and
   * the intervals of each in order. Memory does not grow with the number of rows.
   */
  rows(): AsyncGenerator<HistoryRow[], void, void>;
  /** When all rows were read: how many of the lists that may have a record of it were not completely read on some day. */
  unknownLists(): number;
}

/**
 * What a person or an organisation was, from day to day, by the snapshots of a root. The days are compared as `compareSnapshots` does: what
 * was not completely read is unknown, and never gone.
 * @throws ConfigError `snapshot_missing`, `organization_not_listed`, `pseudonyms_differ`; what reading the files throws, also after rows were returned:
 *   they count only when the end is reached
 */
export async function directoryHistory(options: HistoryOptions): Promise<History> {
  const { storage, subject, since = '', until = '9999-12-31', pseudonyms, signal } = options;
  const log = await existingLog(storage);
  checkLog(log, storage);
  const manifestOf = async (runDate: string): Promise<Manifest> =>
    (await readCurrent(storage, log, runDate))?.manifest as Manifest;
  const parts = allStreams.flatMap((stream) => {
    const chosen = chosenIn(stream, subject);
    return chosen ? [{ stream, chosen, lists: new Map<string, ParentKey>() }] : [];
  });
  const days: string[] = [];
  let hasOrganizations = false;
  for (const runDate of runDatesOf(log).reverse()) {
    if (runDate < since || runDate > until) continue;
    signal?.throwIfAborted();
    const manifest = await manifestOf(runDate);
    if (manifest.status === 'pruned') continue;
    days.push(runDate);
    hasOrganizations ||= Object.values(manifest.tables).some(({ slices }) =>
      slices.some(({ parent }) => isOfOrganization(parent)),
    );
    for (const { stream, chosen, lists } of parts)
      for (const parent of listsOf(manifest, stream.name, chosen)) lists.set(keyText(parent), parent);
  }
  if (days.length === 0) throw noDays(storage, since, until);
  if (hasOrganizations) checkListed(subject, parts, days);
  let unknown = 0;
  return { days, rows, unknownLists: () => unknown };

  async function* rows(): AsyncGenerator<HistoryRow[], void, void> {
    const folder = await openScratch(options.scratch);
    let places = 0;
    const partitions = () => new Partitions(folder.path, { name: `rows-${places++}` });
    const histories = parts.map(({ stream, chosen, lists }) =>
      streamHistory({ stream, chosen, lists: [...lists.values()], partitions, signal }),
    );
    try {
      for (const [index, runDate] of days.entries()) {
        const snapshot = { storage, manifest: await manifestOf(runDate), pseudonyms, index };
        for (const history of histories) await history.add(snapshot);
      }
      for (const history of histories) {
        for await (const batch of history.rows(days)) if (batch.length > 0) yield batch;
      }
      unknown = histories.reduce((sum, history) => sum + history.unknownLists(), 0);
    } finally {
      await folder.remove();
    }
  }
}

const listsOf = ({ tables }: Manifest, stream: string, { hasList }: Chosen): ParentKey[] =>
  (tables[stream]?.slices ?? []).map(({ parent }) => parent).filter(hasList);

function noDays({ location }: Storage, since: string, until: string): ConfigError {
  const range = [since && `from ${since}`, until !== '9999-12-31' && `to ${until}`].filter(Boolean).join(' ');
  return new ConfigError(`There is no snapshot with files ${range} in ${location}.`.replace('  ', ' '), {
    code: 'snapshot_missing',
  });
}

type Part = { lists: ReadonlyMap<string, ParentKey> };

/** An organisation that no day knows is a mistake: an empty history would be an answer. */
function checkListed(subject: Subject, parts: readonly Part[], days: readonly string[]): void {
  const isKnown = parts.some(({ lists }) => [...lists.values()].some(isOfOrganization));
  if ('user' in subject || isKnown) return;
  throw new ConfigError(
    `No snapshot from ${days[0]} to ${days.at(-1)} has a list of the organisation ${subject.organization}.`,
    { code: 'organization_not_listed' },
  );
}

const isOfOrganization = (parent: ParentKey): boolean => parent.organization_uuid !== undefined;
