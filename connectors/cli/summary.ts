import { formatLogHead, keyText, type LogHead, type Manifest } from '../../src/index.js';
import { count, counted } from '../kit/counts.js';
import { snapshotLine } from '../kit/snapshot-line.js';
import { unavailableLine, unavailableLists } from '../kit/unavailable.js';

/** What was published in one format, and where. */
export interface Published {
  manifest: Manifest;
  location: string;
  head: LogHead;
}

/** What a person wants to know after a dump: how much, whether anything is missing, where it is, and the log's head. */
export function summary(published: readonly Published[]): string {
  const [first] = published;
  if (!first) return '';
  const { totals } = first.manifest;
  const lines = [
    snapshotLine(first.manifest),
    ...published.map(({ manifest }) => `  ${manifest.format}: ${filesOf(manifest.totals)}`),
  ];
  if (totals.duplicates > 0)
    lines.push(`  ${counted(totals.duplicates, 'duplicate')} dropped, which the API served again`);
  if (totals.differing > 0)
    lines.push(
      `  CONTRADICTION: ${counted(totals.differing, 'record')} served again with other values; the first ones are kept`,
    );
  if (totals.surrogates_repaired > 0)
    lines.push(`  ${counted(totals.surrogates_repaired, 'text')} with lone surrogates repaired`);
  lines.push(...unavailableLists(first.manifest).map((lists) => `  ${unavailableLine(lists)}`));
  if (totals.gone > 0) lines.push('  no longer listed:', ...listsOf(first.manifest, 'gone'));
  if (totals.failed > 0) lines.push('  failed, not in the snapshot:', ...listsOf(first.manifest, 'failed'));
  for (const { location, head } of published) lines.push(`  in ${location}`, `  ${headLine(head)}`);
  return lines.join('\n');
}

/** Lists that are named: a snapshot may have thousands. */
const MAX_NAMED = 10;

function listsOf({ tables }: Manifest, verdict: string): string[] {
  const found = Object.entries(tables).flatMap(([stream, { slices }]) =>
    slices
      .filter((slice) => slice.verdict === verdict)
      .map(({ parent, reason }) => `    ${stream} ${keyText(parent)}: ${reason?.message}`),
  );
  if (found.length <= MAX_NAMED) return found;
  return [...found.slice(0, MAX_NAMED), `    and ${count(found.length - MAX_NAMED)} more: see the manifest`];
}

/** `25 files, 895,316 bytes` */
export const filesOf = ({ files, bytes }: { files: number; bytes: number }): string =>
  `${counted(files, 'file')}, ${count(bytes)} bytes`;

interface Dated {
  status: Manifest['status'];
  startedAt: string;
  isBackDated: boolean;
}

/** `complete`, or `complete, read on 2026-11-25` of what is filed under another day. */
export const statusText = ({ status, startedAt, isBackDated }: Dated): string =>
  isBackDated ? `${status}, read on ${startedAt.slice(0, 10)}` : status;

/** `log head 1:b6995c9f…`, to be kept elsewhere for `verify --expect`. */
export const headLine = (head: LogHead): string => `log head ${formatLogHead(head)}`;
