import type { Row } from '../model/rows.js';
import { scopedStream } from '../streams/index.js';
import { ownKey, type ParentKey, type Stream } from '../streams/stream.js';

/** Whose history it is: one person's, or one organisation's. */
export type Subject = { user: string } | { organization: string };

type Rows = AsyncGenerator<readonly Row[], void, void>;

/** What of a stream belongs to it. */
export interface Chosen {
  hasList(parent: ParentKey): boolean;
  /** Those rows of a list that may belong to it. */
  rowsOf(rows: Rows): Rows;
  /** Whether they are a handful in each list. */
  isFew: boolean;
  /** Whether a record belongs to it, by what it was at any time. */
  isAbout(row: Row): boolean;
}

/**
 * What of a stream belongs to a person or an organisation; undefined: nothing ever does. Of a person every row that has the id in a
 * column of users; of an organisation its own record, and all that is in it. Case does not matter in a UUID.
 */
export function chosenIn(stream: Stream, subject: Subject): Chosen | undefined {
  return 'user' in subject ? ofUser(stream, subject.user) : ofOrganization(stream, subject.organization);
}

function ofUser({ fields, key }: Stream, id: string): Chosen | undefined {
  const columns = fields.filter(({ isUserId }) => isUserId).map(({ name }) => name);
  if (columns.length === 0) return undefined;
  const isAbout = (row: Row): boolean => columns.some((column) => row[column] === id);
  // A record whose key names nobody may name another person the day after: then it is the same record.
  const isFew = columns.every((column) => key.includes(column));
  return { hasList: () => true, rowsOf: (rows) => (isFew ? only(rows, isAbout) : rows), isFew, isAbout };
}

function ofOrganization(stream: Stream, organization: string): Chosen | undefined {
  const uuid = organization.toLowerCase();
  if (stream === scopedStream) {
    const isAbout = (row: Row): boolean => ownKey(stream, row).toLowerCase() === uuid;
    return { hasList: () => true, rowsOf: (rows) => only(rows, isAbout), isFew: true, isAbout };
  }
  if (!stream.schema.primaryKey.includes(ORGANIZATION)) return undefined;
  return {
    hasList: (parent) => parent[ORGANIZATION]?.toLowerCase() === uuid,
    rowsOf: (rows) => rows,
    isFew: false,
    isAbout: () => true,
  };
}

async function* only(rows: Rows, isWanted: (row: Row) => boolean): Rows {
  for await (const batch of rows) yield batch.filter(isWanted);
}

const ORGANIZATION = 'organization_uuid';
