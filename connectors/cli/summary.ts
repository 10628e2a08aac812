import type { Manifest } from '../../src/index.js';

/** What a person wants to know after a dump: how much, whether it is whole, and where it lies. */
export function summary(manifests: readonly Manifest[], out: string): string {
  const [first] = manifests;
  if (!first) return '';
  const { totals, status, run_date: runDate, slices } = first;
  const listed = (verdict: string): string[] => {
    const found = slices.filter((slice) => slice.verdict === verdict);
    const shown = found
      .slice(0, SHOWN)
      .map(({ organization_uuid, reason }) => `    ${organization_uuid}: ${reason?.message}`);
    return found.length > SHOWN
      ? [...shown, `    and ${found.length - SHOWN} more: see the manifest`]
      : shown;
  };
  const lines = [
    `${status} snapshot of ${runDate}: ${number(totals.organizations)} organisations, ${number(totals.users)} users`,
    ...manifests.map(({ format, totals }) => `  ${format}: ${filesOf(totals)}`),
  ];
  if (totals.duplicates > 0) lines.push(`  ${number(totals.duplicates)} duplicates were served, and dropped`);
  if (totals.surrogates_repaired > 0)
    lines.push(`  ${number(totals.surrogates_repaired)} texts with lone surrogates were repaired`);
  if (totals.gone > 0) lines.push('  no longer linked:', ...listed('gone'));
  if (totals.failed > 0) lines.push('  failed, and not part of it:', ...listed('failed'));
  return [...lines, `  in ${out}`].join('\n');
}

/** Organisations that are named: a snapshot may have thousands. */
const SHOWN = 10;

/** `25 files, 895,316 bytes` */
export const filesOf = ({ files, bytes }: { files: number; bytes: number }): string =>
  `${number(files)} ${files === 1 ? 'file' : 'files'}, ${number(bytes)} bytes`;

const number = (value: number): string => value.toLocaleString('en-GB');
