import type { Slice } from '../lake/manifest.js';
import type { Row } from '../model/rows.js';

/** One table of a snapshot: how each of its lists ended, and the rows of those that were read. */
export interface DirectoryTable {
  readonly lists: readonly Pick<Slice, 'parent' | 'verdict'>[];
  rows(): AsyncIterable<readonly Row[]>;
}

/** What access follows from: the tables of one snapshot, whatever they are stored in. A table may be missing. */
export interface Directory {
  readonly snapshotDate: string;
  /** Whether all organisations were asked for; otherwise there may be others, of which nothing is known. */
  readonly hasAllOrganizations: boolean;
  readonly users: DirectoryTable | undefined;
  readonly roles: DirectoryTable | undefined;
  readonly rolePermissions: DirectoryTable | undefined;
  readonly groups: DirectoryTable | undefined;
  readonly groupMembers: DirectoryTable | undefined;
}

/** Which lists of a table were read. One that the snapshot does not name was not. */
export interface ListsRead {
  /** @param ids of the parents, the topmost first */
  has(...ids: string[]): boolean;
  /** The lists that were named, and not read. */
  readonly unread: readonly Slice['parent'][];
}

/** @param columns of the parents, the topmost first */
export function listsRead(table: DirectoryTable | undefined, columns: readonly string[] = []): ListsRead {
  const read = new Set<string>();
  const unread: Slice['parent'][] = [];
  for (const { parent, verdict } of table?.lists ?? []) {
    // A list that is gone is empty, and that is known.
    if (verdict === 'complete' || verdict === 'gone') read.add(keyOf(columns.map((name) => parent[name])));
    else unread.push(parent);
  }
  return { has: (...ids) => read.has(keyOf(ids)), unread };
}

const keyOf = (ids: readonly (string | undefined)[]): string =>
  ids.length === 1 ? `${ids[0]}` : JSON.stringify(ids);

/** A column of text. */
export function textOf(row: Row, name: string): string | null {
  const value = row[name];
  return typeof value === 'string' ? value : null;
}

/** The order of ids, by UTF-16 units: the same on every machine. Null comes last. */
export function inIdOrder(a: string | null, b: string | null): number {
  if (a === b) return 0;
  if (a === null || b === null) return a === null ? 1 : -1;
  return a < b ? -1 : 1;
}

/**
 * Copies texts that are to be held, and keeps one of each: a text that was cut out of a block of a file would keep all of
 * that block in memory.
 */
export function textPool(): (text: string) => string {
  const pool = new Map<string, string>();
  return (text) => {
    const known = pool.get(text);
    if (known !== undefined) return known;
    const copy = JSON.parse(JSON.stringify(text)) as string;
    pool.set(copy, copy);
    return copy;
  };
}
