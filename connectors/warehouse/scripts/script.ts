import { type FileEntry, type Manifest, manifestFiles } from '../../../src/index.js';
import { type Column, type SnapshotTable, tablesOf } from '../model.js';
import { comment } from '../sql.js';

/** What a script is written for. */
export interface ScriptRequest {
  manifest: Manifest;
  manifestSha256: string;
  /** Of the tables; a dataset or a database in some. */
  schema: string;
  /** Where the warehouse finds the root, without a slash at its end. */
  location: string;
}

/** A small file that a script names, beside the manifest of the snapshot. */
export interface Helper {
  /** Below the root. */
  key: string;
  text: string;
}

export interface Script {
  /** In order, without semicolons; a line of comment may be before each. */
  statements: readonly string[];
  helpers?: readonly Helper[];
}

/** A warehouse that a script can be written for. */
export interface ScriptDialect {
  readonly name: string;
  /** What a location must look like, and how that is said. */
  readonly locations: RegExp;
  readonly locationHint: string;
  write(request: ScriptRequest): Script;
}

/** One table's part of a snapshot. */
export interface TablePart {
  table: SnapshotTable;
  /** Those of the files, in their order; an older version had fewer than the table. */
  columns: readonly Column[];
  files: readonly FileEntry[];
  rows: number;
}

/** The tables that a snapshot holds, with exactly the files that the manifest names. */
export function partsOf(manifest: Manifest): TablePart[] {
  return tablesOf(manifest).map((table) => {
    const { columns: held = [], rows = 0 } = manifest.tables[table.stream] ?? {};
    const columns = held.flatMap((name) => table.columns.filter((column) => column.name === name));
    const files = manifestFiles(manifest).filter((file) => file.table === table.stream);
    return { table, columns, files, rows };
  });
}

/** The key of a helper: a manifest is never changed, and neither are the helpers that are made of it. */
export const helperKey = ({ run_date, written }: Manifest, name: string, extension: string): string =>
  `_runs/run_date=${run_date}/${name}-${written.run_id}.${extension}`;

/** A statement under a line that says what it is for. */
export const explained = (why: string, statement: string): string => `${comment(why)}\n${statement}`;

/** A manifest whose instants are as engines without RFC 3339 read them. */
export const withoutZone = (manifest: Manifest): Manifest => ({
  ...manifest,
  extracted_at: manifest.extracted_at.replace('T', ' ').replace('Z', ''),
});
