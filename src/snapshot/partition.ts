import { ProtocolError } from '../errors.js';

/** The folder of one table and run date, below the root. */
export const dateFolder = (table: string, runDate: string): string => `${table}/run_date=${runDate}`;

/** The folder of one organisation inside the date folder of `users`. */
export const organizationFolder = (organizationUuid: string): string => `org_uuid=${organizationUuid}`;

/** `part-00000.parquet`: the same rows get the same names in every run. */
export const partName = (index: number, extension: string): string =>
  `part-${String(index).padStart(5, '0')}.${extension}`;

/** Where the control files of one run date lie: beside the tables, never among their data files. */
export const runFolder = (runDate: string): string => `_runs/run_date=${runDate}`;
/** The manifest that a compaction found, kept as it was. */
export const manifestBeforeKey = (runDate: string, runId: string): string =>
  `${runFolder(runDate)}/before-${runId}.json`;
export const manifestKey = (runDate: string): string => `${runFolder(runDate)}/manifest.json`;

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/** Whether a text may name a partition: a UUID in its canonical form. */
export const isUuid = (text: string): boolean => UUID.test(text);

/**
 * Checks the ids that are about to become paths.
 * @throws ProtocolError `organization_uuid_invalid`, or `organization_uuid_ambiguous` for two that differ in case only
 */
export function checkOrganizationUuids(uuids: readonly string[]): void {
  const invalid = uuids.filter((uuid) => !isUuid(uuid)).length;
  if (invalid > 0) {
    throw new ProtocolError(
      `The API listed ${invalid} organisation(s) whose id is not a UUID; it cannot name a partition. Nothing was written.`,
      { code: 'organization_uuid_invalid' },
    );
  }
  if (new Set(uuids.map((uuid) => uuid.toLowerCase())).size < uuids.length) {
    throw new ProtocolError(
      'The API listed two organisations whose UUIDs differ in case only; some file systems would mix them up. Nothing was written.',
      { code: 'organization_uuid_ambiguous' },
    );
  }
}
