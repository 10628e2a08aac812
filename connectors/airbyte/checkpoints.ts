import type { Clock } from '../../src/index.js';
import type { StreamState } from './messages.js';
import type { Output } from './output.js';

/** Between two states of a stream, in milliseconds; each costs the platform a write to its database. */
const INTERVAL = 1_000;

/** Platforms stop a source that sends neither record nor state for hours; in a wait a state is repeated this often. In milliseconds. */
const HEARTBEAT = 15 * 60 * 1000;

/** Sends the states of one stream. */
export interface Checkpoints {
  /** Counts records that were sent. */
  count(sent: number): void;
  /** Takes the current state; sends it unless one was sent a moment ago. */
  offer(state: StreamState): Promise<void>;
  /** Sends the state that ends the stream. */
  end(state: StreamState): Promise<void>;
  /** Shows that the source is alive: sends the current state again, if nothing was sent for long. */
  heartbeat(): void;
}

/** Makes the checkpoints of a stream. */
export function checkpoints(name: string, output: Output, clock: Clock): Checkpoints {
  let records = 0;
  let current: StreamState | undefined;
  let sentText = '';
  let sentAt = Number.NEGATIVE_INFINITY;
  let aliveAt = clock.elapsed();

  function message(state: StreamState) {
    const recordCount = records;
    records = 0;
    sentText = JSON.stringify(state);
    sentAt = aliveAt = clock.elapsed();
    const stream = { stream_descriptor: { name }, stream_state: state };
    return { type: 'STATE', state: { type: 'STREAM', stream, sourceStats: { recordCount } } } as const;
  }

  return {
    count(sent) {
      records += sent;
    },
    async offer(state) {
      current = state;
      aliveAt = records > 0 ? clock.elapsed() : aliveAt;
      // The same state after more records would say to the platform that they were lost.
      if (clock.elapsed() - sentAt < INTERVAL || JSON.stringify(state) === sentText) return;
      await output.send(message(state));
    },
    async end(state) {
      await output.send(message(state));
    },
    heartbeat() {
      if (current && clock.elapsed() - aliveAt >= HEARTBEAT) output.write(message(current));
    },
  };
}
