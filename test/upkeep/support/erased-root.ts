import {
  createSink,
  type ErasureResult,
  erase,
  type Layout,
  LocalStorage,
  type Manifest,
  type Row,
  readManifest,
  type Storage,
} from '../../../src/index.js';
import type { MadeUpApi } from '../../diff/support/made-up-api.js';
import { take } from '../../diff/support/take.js';
import { dayWithPerson, PERSON, tablesOf } from './person.js';

export const DATES = ['2026-11-20', '2026-11-21', '2026-11-22'] as const;

export interface Kind {
  format?: string;
  compression?: string;
  layout?: Layout;
  rowsPerFile?: number;
  lookalikes?: boolean;
  storage?: Storage;
  state?: string;
}

/** A root with three days of the person. */
export async function threeDays(api: MadeUpApi, root: string, kind: Kind = {}): Promise<void> {
  const { format = 'ndjson', compression = 'none', layout = 'per-org', rowsPerFile = 3 } = kind;
  const { lookalikes = false, storage = new LocalStorage(root), state } = kind;
  for (const [i, runDate] of DATES.entries())
    await take(api, storage, dayWithPerson(i as 0 | 1 | 2, { lookalikes }), {
      sink: createSink(format, { compression }),
      layout,
      rowsPerFile,
      runDate,
      ...(state !== undefined && { state }),
    });
}

/** Erases the person from a root. */
export const erased = (
  root: string,
  options: Partial<Parameters<typeof erase>[0]> = {},
): Promise<ErasureResult> => erase({ storage: new LocalStorage(root), user: PERSON, ...options });

export const manifestOf = async (root: string, runDate: string): Promise<Manifest> =>
  (await readManifest(new LocalStorage(root), runDate)) as Manifest;

/** What stands for the person, by the first tombstone. */
export const replacementIn = ({ erasures = [] }: Manifest): string =>
  `erased_${erasures[0]?.person_sha256.slice(0, 32)}`;

/** The rows of every day and table, as another implementation reads them. */
export async function everyTable(root: string): Promise<Record<string, Record<string, Row[]>>> {
  const days: Record<string, Record<string, Row[]>> = {};
  for (const date of DATES) days[date] = await tablesOf(root, await manifestOf(root, date));
  return days;
}
