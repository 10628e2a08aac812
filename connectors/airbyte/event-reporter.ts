import type { Clock, ComplianceEvent, OnEvent } from '../../src/index.js';
import { listOf } from './list-pages.js';
import { type LogLevel, log, streamStatus } from './messages.js';
import type { Output } from './output.js';

/** Between two messages about waiting, in milliseconds. */
const INTERVAL = 1_000;

/** Reports the events of the client as messages of the stream that is being read. */
export interface EventReporter {
  onEvent: OnEvent;
  /** From now on this stream is being read; `heartbeat` is called while there is nothing to do but wait. */
  follow(stream: string | undefined, heartbeat: () => void): void;
}

export function createEventReporter(output: Output, clock: Clock): EventReporter {
  let stream: string | undefined;
  let heartbeat = (): void => {};
  let isWaiting = false;
  let reportedAt = Number.NEGATIVE_INFINITY;

  function reportWait(until: number): void {
    if (stream === undefined || clock.elapsed() - reportedAt < INTERVAL) return;
    reportedAt = clock.elapsed();
    isWaiting = true;
    const rate_limited = { quota_reset: Math.ceil(until) };
    output.write(streamStatus(stream, 'RUNNING', { type: 'RATE_LIMITED', rate_limited }));
  }
  function report(level: LogLevel, event: ComplianceEvent & { stream?: string }, message: string): void {
    output.write(log(level, event.stream === undefined ? message : `${event.stream}: ${message}`));
  }
  function reportRetry({ path, code, until }: Extract<ComplianceEvent, { type: 'retrying' }>): void {
    const seconds = Math.max(0, (until - clock.now()) / 1000).toFixed(1);
    output.write(log('INFO', `GET ${path} failed [${code}]. It is requested again in ${seconds} s.`));
  }

  return {
    follow(name, onWait) {
      stream = name;
      heartbeat = onWait;
      isWaiting = false;
    },
    onEvent(event) {
      if (event.type === 'page' && isWaiting && stream !== undefined) {
        isWaiting = false;
        output.write(streamStatus(stream, 'RUNNING'));
      } else if (event.type === 'waiting') {
        reportWait(event.until);
        heartbeat();
      } else if (event.type === 'retrying') {
        reportRetry(event);
        heartbeat();
      } else if (event.type === 'duplicates') {
        const differing =
          event.differing === 0 ? '' : ` ${event.differing} of them had other values the second time.`;
        report(
          event.differing === 0 ? 'INFO' : 'WARN',
          event,
          `${event.dropped} records of ${listOf(event.parent)} were served twice and are sent once.${differing}`,
        );
      } else if (event.type === 'walk-restarted') {
        report(
          'WARN',
          event,
          `a page token was no longer accepted, so ${listOf(event.parent)} is read again from its start.`,
        );
      }
    },
  };
}
