import {
  type ReviewCheck,
  type ReviewFinding,
  type ReviewFindingKind,
  reviewFindingKinds,
} from '../../src/index.js';
import { counted } from '../kit/counts.js';
import { printable } from '../kit/printable.js';

/** Collects what is not in order, as much of it as people read. @param limit lines for each kind */
export function reviewFindings(limit: number) {
  const kinds = new Map<ReviewFindingKind, { rows: number; lines: string[] }>();
  return {
    add(finding: ReviewFinding): void {
      const found = kinds.get(finding.kind) ?? { rows: 0, lines: [] };
      kinds.set(finding.kind, found);
      found.rows += 1;
      if (found.lines.length < limit) found.lines.push(lineOf(finding));
    },
    lines({ runDate, rows, kept, removed, checkedBy }: ReviewCheck): string[] {
      const head = `review as of ${runDate}: ${counted(rows, 'row')}, ${kept} to keep, ${removed} to remove`;
      const by = checkedBy === undefined ? [] : [`  removals checked by the snapshot of ${checkedBy}`];
      if (kinds.size === 0)
        return [head, ...by, '  everything is decided, and what was to be removed is gone'];
      return [head, ...by, ...[...kinds].flatMap(([kind, found]) => linesOf(kind, found))];
    },
  };
}

function linesOf(kind: ReviewFindingKind, { rows, lines }: { rows: number; lines: string[] }): string[] {
  const more = rows > lines.length ? [`    … and ${rows - lines.length} more`] : [];
  return [
    `  ${kind}: ${counted(rows, 'row')}: ${reviewFindingKinds[kind]}`,
    ...lines.map((line) => `    ${line}`),
    ...more,
  ];
}

function lineOf({ row, fileRow, userId, organizationUuid, groupId }: ReviewFinding): string {
  const place = fileRow === null ? '' : ` (row ${fileRow} of the file)`;
  const ids = [userId, groupId, organizationUuid].filter((id) => id !== null).map((id) => printable(id));
  return `${row === null ? 'no row id' : `row ${row}`}${place}${ids.length > 0 ? `: ${ids.join(' ')}` : ''}`;
}
