import { z } from 'zod';
import {
  formatLogHead,
  listSnapshots,
  type SnapshotList,
  type SnapshotSummary,
  type StreamCount,
  streams,
} from '../../../src/index.js';
import { command } from '../../kit/command.js';
import { count, counted } from '../../kit/counts.js';
import { asData } from '../../kit/options.js';
import { openRoot, publishedSettings, rootSettings } from '../../kit/root.js';
import { type TableColumn, tableText } from '../../kit/table.js';
import { ago, sizeOf } from '../amounts.js';
import { headLine, statusText } from '../summary.js';

/** What a root holds, without reading a data file. */
export const snapshots = command({
  settings: z.object({
    ...publishedSettings.shape,
    json: z.boolean().default(false).describe('Print the list as JSON, with the counts of every stream.'),
    ...rootSettings.shape,
  }),
  async run(settings, { stdout, signal }) {
    const storage = await openRoot(settings);
    const list = await listSnapshots({ storage, signal });
    const text = settings.json
      ? jsonOf(storage.location, list)
      : [table(list.snapshots, stdout.columns), ...footer(list)].join('\n');
    stdout.write(`${text}\n`);
    return list.unreadable.length === 0 ? 0 : 1;
  },
});

function jsonOf(location: string, { head, ...list }: SnapshotList): string {
  return JSON.stringify({ location, log_head: formatLogHead(head), ...(asData(list) as object) });
}

/** The streams that every complete snapshot has. */
const counts = streams.filter(({ isDefault }) => isDefault).map(({ name }) => name);

const columns: readonly TableColumn[] = [
  { name: 'date' },
  { name: 'run', omit: 3 },
  { name: 'status' },
  { name: 'layout', omit: 4 },
  { name: 'streams', omit: 2 },
  ...counts.map((name): TableColumn => ({ name, align: 'right' })),
  { name: 'size', align: 'right' },
  { name: 'age', align: 'right', omit: 1 },
];

const table = (list: readonly SnapshotSummary[], width: number | undefined): string =>
  tableText({ columns, rows: list.map((snapshot) => rowOf(snapshot, Date.now())), width });

function rowOf(snapshot: SnapshotSummary, now: number): string[] {
  const { runDate, runId, layouts, streams: read, bytes, extractedAt } = snapshot;
  return [
    runDate,
    runId.slice(-8), // as unique as the whole, which has a time before it
    statusText(snapshot),
    layouts.join(', '),
    `${read.length} of ${streams.length}`,
    ...counts.map((name) => countText(read.find(({ stream }) => stream === name))),
    sizeOf(bytes),
    ago(now - Date.parse(extractedAt)),
  ];
}

/** `20,000 (+12)`; nothing in parentheses where nothing is known of the day before, or nothing changed. */
function countText(known: StreamCount | undefined): string {
  if (!known) return '';
  if (known.rows === null) return 'unknown';
  const { rows, change } = known;
  return change === null || change === 0 ? count(rows) : `${count(rows)} (${signed(change)})`;
}

const signed = (change: number): string => `${change > 0 ? '+' : '−'}${count(Math.abs(change))}`;

function footer({ head, snapshots: list, unreadable }: SnapshotList): string[] {
  const bytes = list.reduce((sum, snapshot) => sum + snapshot.bytes, 0);
  return [
    '',
    `${counted(list.length, 'snapshot')}, ${sizeOf(bytes)}`,
    ...unreadable.map(({ runDate, message }) => `${runDate}: cannot be read. ${message}`),
    headLine(head),
  ];
}
