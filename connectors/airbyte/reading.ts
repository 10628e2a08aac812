import type { Clock, ComplianceClient, ParentKey, ServedRecords, Stream } from '../../src/index.js';
import type { Checkpoints } from './checkpoints.js';
import type { LogLevel, Message } from './messages.js';
import type { Snapshot } from './state.js';

/** What a reader needs to read one stream. */
export interface Reading {
  client: ComplianceClient;
  stream: Stream;
  /** Lists read at a time. */
  concurrency: number;
  /** What new states begin with; that of a state that is resumed wins. */
  snapshot: Snapshot;
  /** The stream's state as it was given to this process, whatever it is. */
  state: unknown;
  checkpoints: Checkpoints;
  clock: Clock;
  signal: AbortSignal;
  send(message: Message): Promise<void>;
  /** Writes a LOG message that begins with the stream's name. */
  log(level: LogLevel, message: string): void;
  /** Makes the sender of the records of one list. */
  sender(list: { parent: ParentKey; snapshotDate: string }): (served: ServedRecords) => Promise<void>;
}

/** Reads any stream of one kind. */
export interface Reader {
  /** The snapshot that a state would resume; undefined: the stream would start over. */
  snapshotOf(state: unknown, now: number): Snapshot | undefined;
  /** Reads a stream to its end. @throws ComplianceError when anything is missing; what was read has been sent */
  read(reading: Reading): Promise<void>;
}
