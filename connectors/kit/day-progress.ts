import { Presets, SingleBar } from 'cli-progress';
import type { Context } from './command.js';
import { eventLine } from './event-line.js';
import { type ProgressKind, settled } from './progress.js';

interface DayFailure {
  runDate: string;
  code: string;
  message: string;
}

/** Shows how a command advances from day to day. */
export interface DayProgress {
  done(runDate: string): void;
  failed(failure: DayFailure): void;
  /** Leaves the terminal as it was. */
  close(): void;
}

/** A bar on a terminal; elsewhere a JSON line for each day, and for each that failed. */
export function openDayProgress(
  kind: ProgressKind,
  { days, stderr }: Pick<Context, 'stderr'> & { days: number },
): DayProgress {
  switch (settled(kind, stderr)) {
    case 'none':
      return { done() {}, failed() {}, close() {} };
    case 'json':
      return {
        done: (runDate) =>
          stderr.write(
            eventLine({ level: 'info', type: 'day-done', message: `${runDate} is done.`, runDate, days }),
          ),
        failed: (failure) => stderr.write(eventLine({ level: 'error', type: 'day-failed', ...failure })),
        close() {},
      };
    case 'bar':
      return bar(days, stderr);
  }
}

function bar(days: number, stream: Context['stderr']): DayProgress {
  const format = '{bar} {value}/{total} days · {day} · {eta_formatted} left{failed}';
  const view = new SingleBar(
    { stream, format, barsize: 16, hideCursor: true, clearOnComplete: true },
    Presets.shades_classic,
  );
  let failed = 0;
  view.start(days, 0, { day: '', failed: '' });
  return {
    done: (runDate) => view.increment(1, { day: runDate }),
    failed() {
      failed += 1;
      view.update({ failed: ` · ${failed} failed` });
    },
    close: () => view.stop(),
  };
}
