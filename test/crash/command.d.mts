import type {
  CompactSettings,
  ComplianceClientOptions,
  PruneSettings,
  SnapshotSettings,
} from '../../src/index.js';

/** What is run, as plain data: a process of its own gets it as JSON. */
export type Command =
  | { name: 'dump'; client: ComplianceClientOptions; settings: Partial<SnapshotSettings> }
  | { name: 'compact'; settings: Partial<CompactSettings> }
  /** `now`: what the clock says, ISO 8601. */
  | { name: 'prune'; settings: Partial<PruneSettings>; now: string };

/** Where it is run. */
export interface Place {
  /** A folder, or `s3://bucket/prefix`. */
  root: string;
  /** The folder of the stagings. */
  state: string;
  /** What the storage is opened with. */
  options: Record<string, string>;
}

/** @param built the folder of the built library */
export function run(built: string, command: Command, place: Place): Promise<void>;
