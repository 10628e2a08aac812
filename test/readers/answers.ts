import type { Field } from '../../src/index.js';

/** What a reader is asked, of every tree at once. */
export interface Asked {
  /** Paths, by name. */
  trees: Record<string, string>;
  dates: readonly string[];
  /** The columns of each table. */
  fields: Record<string, readonly Field[]>;
  /** One that has users. */
  organization: string;
  /** Code, by tree and by name. */
  examples: Record<string, Record<string, string>>;
  /** The path of that tree. */
  spoiled: string;
}

/** Texts, whatever the type: JSON text, `true`, microseconds since 1970. */
export type ReadRow = Record<string, string | null>;

export interface Table {
  tree: string;
  format: string;
  stream: string;
  run_date: string;
  rows: ReadRow[];
}

export interface Answers {
  tables: Table[];
  /** What each example printed. */
  examples: { tree: string; example: string; printed: string }[];
  /** The result of each way to read that the documentation warns of: a number of rows, or an error. */
  traps: { tree: string; trap: string; result: number | string }[];
}
