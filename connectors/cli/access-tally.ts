import type { AccessRow } from '../../src/index.js';
import { count, counted } from '../kit/counts.js';

/** What is noteworthy about a row; a reviewer looks at these first. */
export const accessKinds = {
  blanket: (row: AccessRow) => row.is_blanket,
  orphans: (row: AccessRow) => row.membership === 'none',
  unknown: (row: AccessRow) => row.status === 'unknown',
};
export type AccessKind = keyof typeof accessKinds;

/** Counts the rows of effective access, and the people in them. They are to be given in order: one person after the other. */
export function accessTally() {
  let date = '';
  let rows = 0;
  let person: string | null = null;
  const people = { all: 0, blanket: 0, orphans: 0 };
  const seen = { blanket: false, orphans: false };
  const reasons = new Map<string, number>();

  function add(row: AccessRow): void {
    date = row.snapshot_date;
    rows += 1;
    if (row.status === 'unknown') reasons.set(`${row.reason}`, (reasons.get(`${row.reason}`) ?? 0) + 1);
    if (row.user_id === null) return;
    if (row.user_id !== person) {
      person = row.user_id;
      people.all += 1;
      seen.blanket = false;
      seen.orphans = false;
    }
    for (const kind of ['blanket', 'orphans'] as const) {
      if (seen[kind] || !accessKinds[kind](row)) continue;
      seen[kind] = true;
      people[kind] += 1;
    }
  }

  /** @param written of the rows, when not all of them were wanted */
  function summary(written: number): string[] {
    const some = written === rows ? '' : `${count(written)} of `;
    const lines = [
      `effective access of ${date}: ${some}${counted(rows, 'row')} about ${peopleOf(people.all)}`,
    ];
    if (people.blanket > 0) lines.push(`  blanket permissions: ${peopleOf(people.blanket)}`);
    if (people.orphans > 0)
      lines.push(`  orphans, in a group and in no organisation: ${peopleOf(people.orphans)}`);
    const unknown = [...reasons.values()].reduce((sum, number) => sum + number, 0);
    const why = [...reasons].map(([reason, number]) => `${reason} ${count(number)}`).join(', ');
    lines.push(
      unknown === 0
        ? '  nothing is unknown'
        : `  unknown, which is not "no access": ${counted(unknown, 'row')} (${why})`,
    );
    return lines;
  }

  return { add, summary };
}

const peopleOf = (number: number): string => counted(number, 'person', 'people');
