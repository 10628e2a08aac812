import { createHash } from 'node:crypto';
import { ConfigError } from '../errors.js';
import { parseJson } from '../lake/json-file.js';
import type { Storage } from '../storage/storage.js';
import { accessLeft, type Removal } from './access-left.js';
import { type Evidence, evidenceSchema, POPULATION } from './evidence.js';
import { type CsvRow, type ForeignCsv, readCsv } from './read-csv.js';
import { DIGEST_BYTES, digestOf, numberOf, rowIdOf, savedText } from './row-digest.js';
import { DECISION, type Decision, decisions, identifyingColumns } from './schema.js';

/** What is not in order about a row of a filled-in population. */
export interface ReviewFinding {
  readonly kind: ReviewFindingKind;
  /** The number of the row in the population, by its row id; null for one that has none, or for all rows. */
  readonly row: number | null;
  /** The number of the row in the file that was checked, where the header is row 1; null for one that is missing. */
  readonly fileRow: number | null;
  readonly userId: string | null;
  readonly organizationUuid: string | null;
  readonly groupId: string | null;
}

export const reviewFindingKinds = {
  not_decided: 'has no decision',
  decision_unknown: `has a decision that is none of: ${decisions.join(', ')}`,
  changed: 'was changed',
  added: 'is not of this population, or is there twice',
  deleted: 'is missing',
  other_population:
    'the rows are not those that evidence.json names, though each has the row id that fits it',
  still_has_access: 'was to be removed, and still has access',
  access_unknown: 'was to be removed, and nobody knows whether it was: the list was not read',
} as const;
export type ReviewFindingKind = keyof typeof reviewFindingKinds;

export interface CheckOptions {
  /** The filled-in population. */
  population: ForeignCsv;
  /** The text of the evidence.json that came with it. */
  evidence: string;
  /** Opens the root whose newest snapshot says what was removed; it is not asked when nothing was to be. */
  openRoot: () => Promise<Storage>;
  scratch: string;
  signal?: AbortSignal | undefined;
  /** Is called for each finding, in the order of the file. */
  onFinding: (finding: ReviewFinding) => void;
}

/** What a filled-in population says. */
export interface ReviewCheck {
  /** The day that was reviewed. */
  readonly runDate: string;
  readonly rows: number;
  readonly kept: number;
  readonly removed: number;
  readonly findings: number;
  /** The day by which removals were checked; undefined when there were none. */
  readonly checkedBy: string | undefined;
}

/**
 * Reads a filled-in population back. A spreadsheet may have put its rows into another order, written it with other line ends and
 * delimiters, and left the guard before formulas out. Memory grows by 32 bytes a row, and by the rows that are to be removed.
 * @throws ConfigError `evidence_invalid`, `columns_missing`, and what `readCsv` throws; what reading the newest snapshot throws
 */
export async function checkReview(options: CheckOptions): Promise<ReviewCheck> {
  const { population, signal, onFinding, openRoot, scratch } = options;
  const evidence = parseEvidence(options.evidence);
  const table = await readCsv(population);
  checkColumns(table.columns, population.place);
  const counts = { rows: 0, kept: 0, removed: 0, findings: 0 };
  const report = (kind: ReviewFindingKind, about: Partial<ReviewFinding> = {}): void => {
    counts.findings += 1;
    onFinding({ ...NOWHERE, ...about, kind });
  };
  const rows = rowBook(evidence);
  const removals: Removal[] = [];
  for await (const row of table.rows()) {
    signal?.throwIfAborted();
    counts.rows += 1;
    const { kind, number } = rows.recognise(row);
    const about = aboutOf(row, number);
    if (kind) report(kind, about);
    const decision = decisionIn(row);
    if (decision === 'not_decided' || decision === 'decision_unknown') report(decision, about);
    else counts[decision === 'keep' ? 'kept' : 'removed'] += 1;
    if (decision === 'remove') removals.push(removalOf(row, about));
  }
  for (const number of rows.missing()) report('deleted', { row: number });
  if (rows.isOther()) report('other_population');
  let checkedBy: string | undefined;
  if (removals.length > 0) {
    const left = await accessLeft({
      storage: await openRoot(),
      since: evidence.snapshot.run_date,
      removals,
      scratch,
      signal,
    });
    checkedBy = left.runDate;
    for (const [removal, kind] of left.found) report(kind, removal.about);
  }
  return { runDate: evidence.snapshot.run_date, ...counts, checkedBy };
}

function parseEvidence(text: string): Evidence {
  const { success, data, error } = evidenceSchema.safeParse(parseJson(text));
  if (success) return data;
  throw new ConfigError(
    'The evidence is not an evidence.json that this version can read. Give the one that came with the population, by --evidence.',
    { code: 'evidence_invalid', cause: error },
  );
}

function checkColumns(columns: readonly string[], place: string): void {
  const missing = ['row_id', ...identifyingColumns, DECISION].filter((name) => !columns.includes(name));
  if (missing.length === 0) return;
  throw new ConfigError(
    `${place} is not a ${POPULATION} of this command: it has no column ${missing.slice(0, 3).join(', ')}.`,
    { code: 'columns_missing' },
  );
}

/** Recognises the rows of a population, and knows which did not come. */
function rowBook({ population: { rows, rows_sha256 } }: Evidence) {
  const digests = Buffer.alloc(rows * DIGEST_BYTES);
  const seen = new Uint8Array(rows + 1);
  let areAllRight = true;
  const wrong = (kind: 'changed' | 'added', number: number | null) => {
    areAllRight = false;
    return { kind, number };
  };
  return {
    recognise({ cells }: CsvRow): { kind?: 'changed' | 'added'; number: number | null } {
      const id = savedText(cells.row_id ?? '');
      const number = numberOf(id);
      if (number === undefined || number > rows || seen[number]) return wrong('added', number ?? null);
      seen[number] = 1;
      const digest = digestOf(number, cells);
      digest.copy(digests, (number - 1) * DIGEST_BYTES);
      return rowIdOf(number, digest) === id ? { number } : wrong('changed', number);
    },
    *missing(): Generator<number> {
      for (let number = 1; number <= rows; number += 1) {
        if (seen[number]) continue;
        areAllRight = false;
        yield number;
      }
    },
    /** Whether rows that look right are others than those of the evidence; to be asked at the end. */
    isOther: () => areAllRight && createHash('sha256').update(digests).digest('hex') !== rows_sha256,
  };
}

function decisionIn({ cells }: CsvRow): Decision | 'not_decided' | 'decision_unknown' {
  const word = savedText(cells[DECISION] ?? '').toLowerCase();
  if (word === '') return 'not_decided';
  return decisions.find((decision) => decision === word) ?? 'decision_unknown';
}

const textIn = ({ cells }: CsvRow, name: string): string | null => savedText(cells[name] ?? '') || null;

const aboutOf = (row: CsvRow, number: number | null) => ({
  row: number,
  fileRow: row.number,
  userId: textIn(row, 'user_id'),
  organizationUuid: textIn(row, 'organization_uuid'),
  groupId: textIn(row, 'group_id'),
});

const removalOf = (row: CsvRow, about: ReturnType<typeof aboutOf>): Removal => ({
  about,
  isOfGroup: textIn(row, 'granted_by') === 'group',
  roleId: textIn(row, 'role_id'),
});

const NOWHERE = { row: null, fileRow: null, userId: null, organizationUuid: null, groupId: null };
