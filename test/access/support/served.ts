import type { FixtureApi } from '../../../fixtures/api/index.js';
import { groupMembers, groups, rolePermissions, roles, type Stream, users } from '../../../src/index.js';
import { expectedRows, servedLists } from '../../streams/support/expected.js';
import type { PlainDirectory, PlainTable } from './reference.js';

/** What became of a list, by its stream and the ids of its parents; `unread` may be said of any. */
export type IsUnread = (stream: Stream, parent: Readonly<Record<string, string>>) => boolean;

const wellFormed = (value: unknown): unknown =>
  JSON.parse(JSON.stringify(value), (_, each) => wellFormedText(each));
const wellFormedText = (value: unknown): unknown =>
  typeof value === 'string' ? value.toWellFormed() : value;

/** The directory that a fixture serves, made by nothing that makes it in the source. */
export function servedDirectory(
  api: FixtureApi,
  snapshotDate: string,
  isUnread: IsUnread = () => false,
): PlainDirectory {
  const table = <R extends object>(stream: Stream): PlainTable<R> => {
    // What is below a list that was not read has no lists.
    const lists = servedLists(api, stream).filter(
      ({ parent }) => !stream.parent || !isUnread(stream.parent.stream, withoutLast(parent)),
    );
    const read = lists.filter(({ parent }) => !isUnread(stream, parent));
    return {
      lists: lists.map(({ parent }) => ({
        parent,
        verdict: isUnread(stream, parent) ? 'failed' : 'complete',
      })),
      rows: wellFormed(expectedRows(stream, read, snapshotDate)) as R[],
    };
  };
  return {
    snapshotDate,
    hasAllOrganizations: true,
    users: table(users),
    roles: table(roles),
    rolePermissions: table(rolePermissions),
    groups: table(groups),
    groupMembers: table(groupMembers),
  };
}

const withoutLast = (parent: Readonly<Record<string, string>>): Record<string, string> =>
  Object.fromEntries(Object.entries(parent).slice(0, -1));
