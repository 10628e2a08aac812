/**
 * What the library tells while it works, through one callback. It never logs: the connectors render these as a
 * progress bar, JSON lines or protocol messages. None holds a key, an address or the name of a person.
 */
export type ComplianceEvent =
  /** A page was read whole and is valid. */
  | {
      type: 'page';
      path: string;
      organizationUuid?: string;
      records: number;
      bytes: number;
      requestId?: string;
    }
  /** Requests stand still until `until` (milliseconds since 1970). */
  | { type: 'waiting'; reason: 'budget' | 'rate_limited'; until: number }
  /** An attempt failed and is made again at `until`. `attempt` counts from 1. */
  | { type: 'retrying'; path: string; attempt: number; code: string; status?: number; until: number }
  /** Records that had been served before in the same walk were dropped. */
  | { type: 'duplicates'; organizationUuid?: string; dropped: number }
  /** A page token had gone stale: the walk of this organisation began anew. */
  | { type: 'walk-restarted'; organizationUuid?: string }
  /** The organisations that the run will read are known. */
  | { type: 'organizations-listed'; organizations: number }
  /** One organisation's users lie in the staging. */
  | { type: 'slice-written'; organizationUuid: string; rows: number }
  /** One organisation's users could not be read whole. */
  | {
      type: 'slice-failed';
      organizationUuid: string;
      verdict: 'gone' | 'failed';
      code: string;
      message: string;
    }
  /** The snapshot stands where its readers look. */
  | { type: 'published'; runId: string; runDate: string; status: 'complete' | 'incomplete' };

/** Takes events; it must not throw. */
export type OnEvent = (event: ComplianceEvent) => void;
