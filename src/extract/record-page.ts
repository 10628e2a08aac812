import type { ServedRecords } from '../model/batch.js';
import { decodedJson } from '../model/raw-json.js';
import type { CompactRecord, Extra } from '../model/records.js';

/** One page of a walk: its records, and the token by which the walk continues after it. */
export interface RecordPage<R> {
  /** The path that was requested. */
  path: string;
  /** In the order served, without those that the walk returned before. They are made when they are first read. */
  readonly records: R[];
  /** The same in the form from which files are written, until they are taken from it: no record is made for it. */
  readonly served: ServedRecords;
  /** Continues the walk after this page; null: the walk is complete. */
  next: string | null;
  /** Records dropped because the walk had returned them; after a restart these are all that came before it. */
  duplicates: number;
  /** Those of them that say something else than the record that was returned: it has changed, or the list contradicts itself. */
  differing: number;
  requestId?: string;
  /** When it was requested, milliseconds since 1970. */
  requestedAt: number;
  /** Of the body, decompressed. */
  bytes: number;
  /** SHA-256 of the body, without the token of the next page; null for an unusually large one. */
  sha256: string | null;
  /** Whether the walk had to start again before this page. */
  restarted?: boolean;
}

/** Completes a page by its records. */
export function recordPage<R>(
  page: Omit<RecordPage<R>, 'records'>,
  expand: (record: CompactRecord) => R,
): RecordPage<R> {
  let records: R[] | undefined;
  return {
    ...page,
    get records() {
      const { records: served, isRaw } = page.served;
      records ??= served.map((record) => expand(isRaw ? (decodedJson(record as Extra) as Extra) : record));
      return records;
    },
  };
}
