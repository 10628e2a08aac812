import { Presets, SingleBar } from 'cli-progress';
import { z } from 'zod';
import { type ComplianceEvent, marks, type OnEvent } from '../../src/index.js';
import type { Context } from './command.js';
import { count } from './counts.js';
import { eventLine } from './event-line.js';
import { eventFields } from './event-message.js';
import { timeLeft } from './time-left.js';
import { reasonOf, statusLine } from './waiting.js';

export const progressSettings = z.object({
  progress: z
    .enum(['auto', 'bar', 'json', 'none'])
    .default('auto')
    .describe('On stderr. auto: a bar on a terminal, JSON lines elsewhere. none: silent but for errors.')
    .register(marks, { isNoEvidence: true }),
});

/** Shows how a dump advances. */
export interface Progress {
  onEvent: OnEvent;
  /** Leaves the terminal as it was; may be called twice. */
  close(): void;
}

export type ProgressKind = z.output<typeof progressSettings>['progress'];

/** What is shown where nobody has chosen. */
export const settled = (kind: ProgressKind, stderr: Context['stderr']): Exclude<ProgressKind, 'auto'> =>
  kind === 'auto' ? (stderr.isTTY ? 'bar' : 'json') : kind;

export function openProgress(kind: ProgressKind, { stderr, environment }: Context): Progress {
  const shown = settled(kind, stderr);
  if (shown === 'bar') return bar(stderr, environment);
  if (shown === 'json') return { onEvent: jsonLines(stderr), close() {} };
  return { onEvent() {}, close() {} };
}

/** Each event as a line; those of one run have its id. Lists that are unavailable share one event. */
function jsonLines(stderr: Context['stderr']): OnEvent {
  let runId: string | undefined;
  return (event) => {
    if ('runId' in event) runId = event.runId;
    if (event.type === 'slice-failed' && event.verdict === 'unavailable') return;
    stderr.write(eventLine({ runId, ...eventFields(event) }));
  };
}

/** Lists done, rows a second or what is waited for, how long it will take, and rows. Before the lists are known, a line says what is read. */
function bar(stderr: Context['stderr'], environment: NodeJS.ProcessEnv): Progress {
  const isPlain = (environment.NO_COLOR ?? '') !== '';
  const [on, off] = isPlain ? ['', ''] : ['\u001B[36m', '\u001B[39m'];
  const { columns = 80 } = stderr;
  const isNarrow = columns < 80; // until when it waits must be seen on 60 columns too
  const view = new SingleBar(
    {
      stream: stderr,
      format: `${on}{bar}${off} {value}/{total} lists · {pace}{left}${isNarrow ? '' : ' · {rows} rows'}`,
      barsize: isNarrow ? 6 : 16,
      hideCursor: true,
      clearOnComplete: true,
    },
    Presets.shades_classic,
  );
  const startedAt = performance.now();
  const before = statusLine(stderr);
  before.show('reading organizations');
  const lists = { all: 0, done: 0, resumed: 0 };
  let rows = 0;
  let note = '';
  let isOpen = false;
  const passed = () => Math.max(1, performance.now() - startedAt);
  const shown = () => {
    const left = timeLeft({
      done: lists.done - lists.resumed,
      open: lists.all - lists.done,
      passed: passed(),
    });
    const pace = note || `${count(Math.round((1000 * rows) / passed()))} rows/s`;
    return { rows: count(rows), pace, left: left && ` · ${left} left` };
  };
  const apply = (event: ComplianceEvent): void => {
    if (event.type === 'slices-listed') {
      // Lists are found while their parents are read: each time there are more.
      lists.all += event.slices;
      const done = event.slices - event.open;
      lists.done += done;
      lists.resumed += done;
      before.clear();
      if (done > 0 && !isOpen)
        stderr.write(`resuming: ${count(done)} of ${count(event.slices)} lists are done\n`);
      if (isOpen) view.setTotal(lists.all);
      else view.start(lists.all, lists.done, shown());
      isOpen = true;
    } else if (event.type === 'page' && event.parent) {
      rows += event.records;
      note = '';
    } else if ((event.type === 'slice-written' || event.type === 'slice-failed') && event.parent) {
      lists.done += 1;
    } else {
      note = reasonOf(event) || note;
    }
    if (isOpen) view.update(lists.done, shown());
    else if (note !== '') before.show(`reading organizations · ${note}`);
  };
  return {
    onEvent: apply,
    close() {
      before.clear();
      if (isOpen) view.stop();
      isOpen = false;
    },
  };
}
