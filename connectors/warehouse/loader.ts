import type { SnapshotSource } from './snapshot-source.js';

/** What a loader is given: a snapshot, and a folder of the load's own, gone afterwards. */
export interface LoadRequest {
  source: SnapshotSource;
  staging: string;
}

/** One warehouse that a snapshot can be loaded into. */
export interface Loader {
  /** How the warehouse is called in messages, without secrets. */
  readonly target: string;
  /** Finds out early what would stop the load, before the API is asked for anything. */
  check(): Promise<void>;
  /** Replaces the run date of the snapshot, whole. @returns what a person should be told besides the counts */
  load(request: LoadRequest): Promise<string[]>;
}
