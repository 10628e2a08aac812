import { accessOfPeople } from '../access/access-rows.js';
import { organizationNames } from '../access/organization-names.js';
import { directoryOf } from '../access/snapshot-directory.js';
import { ConfigError } from '../errors.js';
import { pseudonymsRead } from '../lake/pseudonyms-read.js';
import { type Source, type SourceChoice, sourceOf } from '../lake/source.js';
import { Partitions } from '../storage/partitions.js';
import { withScratch } from '../storage/scratch.js';
import { type AccessFigures, accessFigures, type Limits } from './access-figures.js';
import type { Gap, ReportData } from './data.js';
import { largestOf, membershipsIn } from './day-counts.js';
import { gapsOf } from './gaps.js';
import { historyUntil } from './history.js';
import { organizationFigures } from './organization-figures.js';
import { settingValues } from './setting-values.js';
import { shown } from './shown.js';

export interface ReportOptions extends SourceChoice {
  /** The first day to look back on. Default: the first one that was published. */
  since?: string | undefined;
  /** How many rows are shown; numbers are about all. Default: 50,000 memberships, and 1,000 rows of each other list. */
  limits?: Partial<Limits> | undefined;
  /** A local folder for temporary files, as `effectiveAccess` and `compareSnapshots` make. */
  scratch: string;
  signal?: AbortSignal | undefined;
}

/** Organisations whose members are counted day by day. */
const LARGEST = 8;

/**
 * Reads what a report shows: who has access by one snapshot, and what happened on the days before it. What was not read is a gap, and
 * never a zero. The same root gives the same data, whatever its formats and layouts. Memory grows by the days, the organisations, the
 * settings and the rows that are shown, not by the people.
 * @throws ConfigError `snapshot_missing`, `pseudonyms_differ`, `dates_not_in_order`; RefusedError `snapshot_pruned`; what reading the files throws
 */
export async function reportData(options: ReportOptions): Promise<ReportData> {
  const { since, scratch, signal, limits: given } = options;
  const limits: Limits = { memberships: 50_000, rows: 1000, ...given };
  signal?.throwIfAborted();
  const source = await sourceOf(options);
  const { manifest, storage } = source;
  if (since !== undefined && since > manifest.run_date)
    throw new ConfigError(`${since} is after ${manifest.run_date}, the day of the report.`, {
      code: 'dates_not_in_order',
    });
  const names = await organizationNames(source);
  const { membersByRole, ...access } = await accessIn(source, { limits, scratch, signal });
  const largest = largestOf(manifest, LARGEST);
  const { gaps: earlier, ...history } = await historyUntil({
    source,
    since,
    largest,
    limit: limits.rows,
    scratch,
    signal,
  });
  const gaps = shown<Gap>(limits.rows);
  for (const gap of [...gapsOf(manifest), ...earlier.toReversed()]) gaps.add(gap);
  return {
    root: storage.location,
    runDate: manifest.run_date,
    status: manifest.status,
    extractedAt: manifest.extracted_at,
    pseudonyms: pseudonymsRead(source),
    largest: largest.map((uuid) => ({ uuid, name: names.get(uuid) ?? null })),
    isEverybody: membershipsIn(manifest) !== null,
    ...history,
    ...access,
    ...organizationFigures({ manifest, names, membersByRole }),
    settings: await settingValues(source),
    gaps: gaps.get(),
  };
}

async function accessIn(
  source: Source,
  { limits, scratch, signal }: Pick<ReportOptions, 'scratch' | 'signal'> & { limits: Limits },
): Promise<AccessFigures> {
  const figures = accessFigures(limits);
  await withScratch(scratch, async (folder) => {
    const directory = directoryOf(source);
    const partitions = new Partitions(folder);
    for await (const person of accessOfPeople({ directory, partitions, signal })) figures.add(person);
  });
  return figures.get();
}
