import { createReadStream } from 'node:fs';
import {
  ConfigError,
  type Evidence,
  type ForeignCsv,
  isLocalLocation,
  type Review,
} from '../../src/index.js';
import { count, counted } from '../kit/counts.js';

/** An export of an identity provider, as a command is given it. @throws ConfigError `file_unreadable`, while it is read */
export const identityProviderAt = (path: string): ForeignCsv => ({
  bytes: bytesOf(path, '--idp'),
  place: `--idp ${path}`,
});

/** The bytes of a local file that a flag names. @throws ConfigError `file_unreadable` */
export async function* bytesOf(path: string, flag: string): AsyncGenerator<Uint8Array> {
  try {
    yield* createReadStream(path);
  } catch (cause) {
    const { code = 'unknown' } = cause as NodeJS.ErrnoException;
    throw new ConfigError(`${flag} ${path} cannot be read (${code}).`, { code: 'file_unreadable', cause });
  }
}

/** @throws ConfigError `output_not_local` */
export function checkLocal(out: string): void {
  if (isLocalLocation(out)) return;
  throw new ConfigError('--out takes a local folder. Write the pack, and copy it to the bucket.', {
    code: 'output_not_local',
  });
}

/** What was written, in a few lines. */
export function packLines(out: string, { evidence, evidenceSha256 }: Review): string[] {
  const { snapshot, since, population, completeness, exceptions, files, not_written } = evidence;
  const status = snapshot.status === 'complete' ? '' : ` (${snapshot.status})`;
  return [
    `access review as of ${snapshot.run_date}${status}: ${counted(population.rows, 'row')} about ${peopleOf(population.people)}`,
    completeness.is_complete
      ? '  complete: everybody who is listed is in it'
      : `  not complete: ${gapsOf(evidence)}`,
    `  exceptions: ${exceptionsOf(exceptions)}`,
    since === null
      ? '  no earlier complete snapshot: changes were not counted'
      : `  changes since ${since.run_date}`,
    ...not_written.map(({ name, reason }) => `  not written: ${name} (${reason})`),
    `  in ${out}: ${[...files.map(({ name }) => name), 'evidence.json'].join(', ')}`,
    `  SHA-256 of evidence.json ${evidenceSha256}`,
  ];
}

function gapsOf({ completeness, population }: Evidence): string {
  const lists = completeness.not_read.length;
  const parts = [
    ...(lists > 0 ? [`${counted(lists, 'list')} not read`] : []),
    ...(population.unknown > 0
      ? [`${counted(population.unknown, 'row')} unknown, which is not "no access"`]
      : []),
  ];
  return parts.join(', ') || 'the lists do not have the rows of the manifest';
}

const exceptionsOf = (exceptions: Evidence['exceptions']): string =>
  Object.entries(exceptions)
    .filter(([, rows]) => rows > 0)
    .map(([kind, rows]) => `${kind} ${count(rows)}`)
    .join(', ') || 'none';

const peopleOf = (number: number): string => counted(number, 'person', 'people');
