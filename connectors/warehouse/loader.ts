import type { SnapshotSource } from './source/snapshot-source.js';

/** What a loader is given. */
export interface LoadRequest {
  source: SnapshotSource;
  /** A folder of this load alone, removed afterwards. */
  scratch: string;
}

/** One warehouse that a snapshot can be loaded into. */
export interface Loader {
  /** How messages name the warehouse, without secrets. */
  readonly target: string;
  /** Finds out early what would stop the load, before the API is requested. */
  check(): Promise<void>;
  /** The SHA-256 of the manifest of each run date that was loaded. Makes the tables, where there is a database. */
  held(): Promise<ReadonlyMap<string, string>>;
  /** Replaces the run date of the snapshot completely. @returns notes for the summary */
  load(request: LoadRequest): Promise<string[]>;
}
