import { createHash } from 'node:crypto';
import { unguarded } from '../sinks/formula-guard.js';
import { identifyingColumns, type PopulationRow } from './schema.js';

/** Bytes of the digest of a row. */
export const DIGEST_BYTES = 32;
const SHOWN = 12;
const ROW_ID = new RegExp(`^r([1-9]\\d{0,8})-([0-9a-f]{${SHOWN}})$`);

/** A control character, which no cell of a workbook can hold, or no character at all. */
const NOT_IN_XML = /[^\P{Cc}\t\n]|[\uFFFE\uFFFF]/gu;

/** Characters of a cell that every spreadsheet opens, with a guard before it. */
const MAX_CELL = 32_000;

/**
 * A text as CSV and workbooks can both hold it: one kind of line end, U+FFFD for what XML does not allow, and `…` at the end of one
 * that is too long for a cell.
 */
export function plainText(text: string): string {
  const plain = text.replaceAll(/\r\n?/g, '\n').replaceAll(NOT_IN_XML, '\uFFFD');
  return plain.length <= MAX_CELL ? plain : `${plain.slice(0, MAX_CELL - 1).toWellFormed()}…`;
}

/**
 * What is left of a text when a spreadsheet has saved it: no space around it, one kind of line end, and no guard before what looks like
 * a formula.
 */
export const savedText = (text: string): string => plainText(unguarded(text).trim());

/** The digest of a row: of its number, and of the columns by which it is recognised. */
export function digestOf(number: number, columns: Readonly<Record<string, unknown>>): Buffer {
  const values = identifyingColumns.map((name) => savedText(`${columns[name] ?? ''}`));
  return createHash('sha256')
    .update(JSON.stringify([number, ...values]))
    .digest();
}

export const rowIdOf = (number: number, digest: Buffer): string =>
  `r${number}-${digest.toString('hex').slice(0, SHOWN)}`;

/** The number that a row id has; undefined for any other text. */
export function numberOf(rowId: string): number | undefined {
  const [, number] = ROW_ID.exec(rowId) ?? [];
  return number === undefined ? undefined : Number(number);
}

/** Gives rows their ids, and digests all of them in their order. */
export function rowNumbering() {
  const all = createHash('sha256');
  let rows = 0;
  return {
    /** @param row without its id */
    add(row: Omit<PopulationRow, 'row_id'>): PopulationRow {
      rows += 1;
      const digest = digestOf(rows, row);
      all.update(digest);
      return { row_id: rowIdOf(rows, digest), ...row };
    },
    rows: () => rows,
    /** To be called once. */
    sha256: () => all.digest('hex'),
  };
}
