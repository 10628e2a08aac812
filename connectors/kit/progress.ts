import { Presets, SingleBar } from 'cli-progress';
import { z } from 'zod';
import { type ComplianceEvent, marks, type OnEvent } from '../../src/index.js';
import type { Context } from './command.js';
import { count } from './counts.js';
import { eventLine } from './event-line.js';
import { eventFields } from './event-message.js';

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

/** Lists done, rows and rows a second, and what is waited for. */
function bar(stderr: Context['stderr'], environment: NodeJS.ProcessEnv): Progress {
  const isPlain = (environment.NO_COLOR ?? '') !== '';
  const [on, off] = isPlain ? ['', ''] : ['\u001B[36m', '\u001B[39m'];
  const view = new SingleBar(
    {
      stream: stderr,
      format: `${on}{bar}${off} {value}/{total} lists · {pace} · {rows} rows`,
      barsize: 16, // until when it waits must be seen on 80 columns too
      hideCursor: true,
      clearOnComplete: true,
      etaBuffer: 50,
    },
    Presets.shades_classic,
  );
  const startedAt = performance.now();
  const lists = { all: 0, done: 0 };
  let rows = 0;
  let note = '';
  let isOpen = false;
  const rate = () => Math.round((1000 * rows) / Math.max(1, performance.now() - startedAt));
  const show = () => view.update(lists.done, { rows: count(rows), pace: note || `${count(rate())} rows/s` });
  const apply = (event: ComplianceEvent): void => {
    if (event.type === 'slices-listed') {
      // Lists are found while their parents are read: each time there are more.
      lists.all += event.slices;
      lists.done += event.slices - event.open;
      if (isOpen) view.setTotal(lists.all);
      else view.start(lists.all, lists.done, { rows: '0', pace: '0 rows/s' });
      isOpen = true;
    } else if (event.type === 'page' && event.parent) {
      rows += event.records;
      note = '';
    } else if ((event.type === 'slice-written' || event.type === 'slice-failed') && event.parent) {
      lists.done += 1;
    } else if (event.type === 'waiting') {
      note = `waiting until ${new Date(event.until).toISOString().slice(11, 19)} for the budget`;
    } else if (event.type === 'retrying') {
      note = `trying again (${event.code})`;
    }
    if (isOpen) show();
  };
  return {
    onEvent: apply,
    close() {
      if (isOpen) view.stop();
      isOpen = false;
    },
  };
}
