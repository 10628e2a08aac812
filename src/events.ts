/** What an event is about: a stream, and whose list of it, by column (`{ organization_uuid: '…' }`). */
export interface ListRef {
  stream?: string;
  parent?: Readonly<Record<string, string>>;
}

/**
 * What the library reports while it works, through one callback. It never logs: the connectors render these as a
 * progress bar, JSON lines or protocol messages. None holds a key, an address or the name of a person.
 */
export type ComplianceEvent =
  /** The run has its id and its date; `isResumed`: an unfinished one of that date is continued. */
  | { type: 'run-started'; runId: string; runDate: string; isResumed: boolean }
  /** A page was read completely and is valid. */
  | ({ type: 'page'; path: string; records: number; bytes: number; requestId?: string } & ListRef)
  /** No request is sent before `until` (milliseconds since 1970). */
  | { type: 'waiting'; reason: 'budget' | 'rate_limited'; until: number }
  /** An attempt failed and is repeated at `until`. `attempt` counts from 1. */
  | { type: 'retrying'; path: string; attempt: number; code: string; status?: number; until: number }
  /** Records that had been served before in the same walk were dropped, `differing` of them with other values than before. */
  | ({ type: 'duplicates'; dropped: number; differing: number } & ListRef)
  /** A page token was no longer accepted: the walk of this list started again. */
  | ({ type: 'walk-restarted' } & ListRef)
  /** The lists that the run will read are known, so far: `open` of `slices` are still to be read. */
  | { type: 'slices-listed'; slices: number; open: number }
  /** One list was read and staged. */
  | ({ type: 'slice-written'; rows: number } & ListRef)
  /** One list was not read, or not completely. */
  | ({
      type: 'slice-failed';
      verdict: 'gone' | 'unavailable' | 'failed';
      code: string;
      message: string;
    } & ListRef)
  /** `lists` of the `of` lists of a stream are not served by the API; all of them: it is not enabled for this parent organisation. */
  | { type: 'lists-unavailable'; stream: string; lists: number; of: number }
  /** The snapshot is published in one root; `head` is that of its log now. */
  | {
      type: 'published';
      runId: string;
      runDate: string;
      status: string;
      location: string;
      head: { entries: number; sha256: string };
    };

/** Takes events; it must not throw. */
export type OnEvent = (event: ComplianceEvent) => void;
