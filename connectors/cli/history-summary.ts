import { type History, type HistoryRow, type Json, type Subject, streams } from '../../src/index.js';
import { count, counted } from '../kit/counts.js';
import { printable } from '../kit/printable.js';

interface SummaryRequest {
  subject: Subject;
  history: History;
  /** Lines of the table. */
  limit: number;
}

/** Collects intervals, as many as people read. */
export function historySummary({ subject, history, limit }: SummaryRequest) {
  const table: HistoryRow[] = [];
  const streams = new Map<string, number>();
  let rows = 0;

  function totals(): string[] {
    const { days } = history;
    const [first, last] = [days[0], days.at(-1)];
    const name = 'user' in subject ? subject.user : `organisation ${subject.organization}`;
    const head = `history of ${printable(name, WHOLE)} from ${first} to ${last} (${counted(days.length, 'snapshot')})`;
    const kinds = [...streams].map(([stream, number]) => `  ${stream}: ${counted(number, 'interval')}`);
    const none = rows === 0 ? ['  it is in none of the lists that were read'] : [];
    const unknown = history.unknownLists();
    const notRead =
      unknown === 0
        ? []
        : [
            `  not completely read on some of the days, which is not "not in it": ${counted(unknown, 'list')}`,
          ];
    return [head, ...none, ...kinds, ...notRead];
  }

  return {
    add(row: HistoryRow): void {
      rows += 1;
      streams.set(row.stream, (streams.get(row.stream) ?? 0) + 1);
      if (table.length < limit) table.push(row);
    },
    totals,
    /** The totals, and the table. */
    lines(): string[] {
      const cells = table.map(cellsOf);
      const widths = [0, 1, 2].map((i) => Math.max(0, ...cells.map((row) => row[i]?.length ?? 0)));
      const lines = cells.flatMap(([from = '', to = '', what = '', how = ''], i) => {
        const row = table[i] as HistoryRow;
        const line = `    ${from.padEnd(widths[0] ?? 0)} – ${to.padEnd(widths[1] ?? 0)}  ${what.padEnd(widths[2] ?? 0)}  ${how}`;
        return [...(isNewRecord(table[i - 1], row) ? [`  ${titleOf(row)}`] : []), line.trimEnd()];
      });
      const more = rows > table.length ? [`    … and ${count(rows - table.length)} more`] : [];
      return [...totals(), ...lines, ...more];
    },
  };
}

const isNewRecord = (before: HistoryRow | undefined, { stream, key }: HistoryRow): boolean =>
  before?.stream !== stream || JSON.stringify(before.key) !== JSON.stringify(key);

function titleOf({ stream, key, label }: HistoryRow): string {
  const place = Object.values(key)
    .filter((value) => value !== null)
    .join('/');
  return printable(`${stream} ${place}${label === null ? '' : ` (${label})`}`, WHOLE);
}

/** Ids are not cut. */
const WHOLE = 500;

/** The cells of one line: from, to, what it was, how it began and ended. */
function cellsOf({
  stream,
  valid_from,
  valid_to,
  state,
  began,
  ended,
  changed,
  record,
  reason,
}: HistoryRow): string[] {
  const values = (changed ?? []).map(
    (name) => `${name} = ${valueText(stream, name, record?.[name] ?? null)}`,
  );
  const beginning = [began?.replaceAll('_', ' ') ?? reason ?? '', ...values].join(', ');
  const end = ended === 'removed' ? '; then removed' : ended === 'unknown' ? '; then unknown' : '';
  return [valid_from, valid_to ?? 'now', state, `${beginning}${end}`];
}

function valueText(stream: string, column: string, value: Json): string {
  if (value !== null)
    return printable(typeof value === 'string' && value !== '' ? value : JSON.stringify(value));
  const fields = streams.find(({ name }) => name === stream)?.fields;
  return fields?.find(({ name }) => name === column)?.isNullUnknown ? 'not known' : 'nothing';
}
