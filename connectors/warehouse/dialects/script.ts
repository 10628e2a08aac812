import { type FileEntry, type Manifest, manifestFiles } from '../../../src/index.js';
import { createCurrentView, type Dialect } from '../ddl.js';
import { type SnapshotTable, snapshotTables } from '../model.js';
import { comment } from '../sql.js';

/** What a script is written for. */
export interface ScriptRequest {
  manifest: Manifest;
  /** Of the tables; a dataset or a database in some. */
  schema: string;
  /** Where the warehouse finds the root, without a slash at its end. */
  location: string;
}

/** A small file that a script names, beside the manifest of the snapshot. */
export interface Helper {
  name: string;
  text: string;
}

export interface Script {
  /** In order, without semicolons; a line of comment may stand before each. */
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
  files: readonly FileEntry[];
  rows: number;
}

/** Both tables, with exactly the files that the manifest lists. */
export function partsOf(manifest: Manifest): TablePart[] {
  return snapshotTables.map((table) => {
    const files = manifestFiles(manifest).filter((file) => file.table === table.stream);
    return { table, files, rows: files.reduce((sum, file) => sum + file.rows, 0) };
  });
}

export const helperKey = (manifest: Manifest, name: string): string =>
  `_runs/run_date=${manifest.run_date}/${name}`;

/** A list cut into pieces of at most `size`. */
export function pieces<T>(list: readonly T[], size: number): T[][] {
  const count = Math.ceil(list.length / size);
  return Array.from({ length: count }, (_, index) => list.slice(index * size, (index + 1) * size));
}

export const currentViews = (dialect: Dialect, schema: string): string[] =>
  snapshotTables.map((table) => createCurrentView(table, dialect, schema));

/** A statement under a line that says what it is for. */
export const explained = (why: string, statement: string): string => `${comment(why)}\n${statement}`;
