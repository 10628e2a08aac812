import type { Clock, ComplianceEvent, OnEvent } from '../../src/index.js';
import { log, streamStatus } from './messages.js';
import type { Output } from './output.js';

/** Between two words on waiting, in milliseconds. */
const INTERVAL = 1_000;

/** Tells what the client tells, as messages of the stream that is being read. */
export interface Narrator {
  onEvent: OnEvent;
  /** From now on this stream is read; `beat` is called when there is nothing to do but wait. */
  turnTo(stream: string | undefined, beat: () => void): void;
}

export function createNarrator(output: Output, clock: Clock): Narrator {
  let stream: string | undefined;
  let beat = (): void => {};
  let waits = false;
  let toldAt = Number.NEGATIVE_INFINITY;

  function tellWait(until: number): void {
    if (stream === undefined || clock.elapsed() - toldAt < INTERVAL) return;
    toldAt = clock.elapsed();
    waits = true;
    const rate_limited = { quota_reset: Math.ceil(until) };
    output.tell(streamStatus(stream, 'RUNNING', { type: 'RATE_LIMITED', rate_limited }));
  }
  function tellRetry({ path, code, until }: Extract<ComplianceEvent, { type: 'retrying' }>): void {
    const seconds = Math.max(0, (until - clock.now()) / 1000).toFixed(1);
    output.tell(log('INFO', `GET ${path} failed [${code}]; it is asked for again in ${seconds} s.`));
  }

  return {
    turnTo(name, onBeat) {
      stream = name;
      beat = onBeat;
      waits = false;
    },
    onEvent(event) {
      if (event.type === 'page' && waits && stream !== undefined) {
        waits = false;
        output.tell(streamStatus(stream, 'RUNNING'));
      } else if (event.type === 'waiting') {
        tellWait(event.until);
        beat();
      } else if (event.type === 'retrying') {
        tellRetry(event);
        beat();
      } else if (event.type === 'duplicates') {
        output.tell(log('INFO', `${event.dropped} records were served twice in one list and are sent once.`));
      } else if (event.type === 'walk-restarted') {
        const whose =
          event.organizationUuid === undefined ? '' : ` of organisation ${event.organizationUuid}`;
        output.tell(log('WARN', `A page token went stale: the list${whose} is read anew.`));
      }
    },
  };
}
