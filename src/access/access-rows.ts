import type { Partitions } from '../storage/partitions.js';
import { type Directory, inIdOrder, listsRead } from './directory.js';
import { readGroups } from './groups.js';
import { type Person, readPeople } from './people.js';
import { readRoles } from './roles.js';
import { type Place, rowMakerOf } from './row.js';
import { type Context, rowsOfPerson } from './rows-of-person.js';
import type { AccessRow } from './schema.js';

/** Rows of a batch. */
const BATCH = 1000;

export interface AccessRequest {
  directory: Directory;
  /** Where users and group members are set aside: there may be more than fit into memory. */
  partitions: Partitions;
  signal?: AbortSignal | undefined;
}

/**
 * Who may do what. First come the rows about nobody, for what was not read; then one person after the other, in an order
 * that depends on nothing but their ids. Below a person, organisations come first, then groups, roles and permissions, each
 * in the order of ids.
 */
export async function* accessRows(request: AccessRequest): AsyncGenerator<AccessRow[]> {
  let batch: AccessRow[] = [];
  for await (const { rows } of accessOfPeople(request)) {
    for (const row of rows) {
      batch.push(row);
      if (batch.length < BATCH) continue;
      yield batch;
      batch = [];
      request.signal?.throwIfAborted();
    }
  }
  if (batch.length > 0) yield batch;
}

/** The rows about one person; those about nobody have none. */
export interface AccessOfPerson {
  readonly person?: Person;
  readonly rows: Iterable<AccessRow>;
}

/** The same rows, with the person that they are about. */
export async function* accessOfPeople({
  directory,
  partitions,
  signal,
}: AccessRequest): AsyncGenerator<AccessOfPerson> {
  const groups = await readGroups(directory, signal);
  const wanted = new Set(groups.ids.flatMap((id) => groups.get(id).roles));
  const roles = await readRoles({ directory, wanted, signal });
  const row = rowMakerOf(directory.snapshotDate);
  const context: Context = { groups, roles, unread: unreadOrganizations(directory), row };
  yield { rows: rowsOfNobody(directory, context) };
  for await (const people of readPeople({ directory, partitions, signal })) {
    for (const person of people) yield { person, rows: rowsOfPerson(person, context) };
  }
}

function unreadOrganizations({ users, hasAllOrganizations }: Directory): (string | null)[] {
  const named = listsRead(users)
    .unread.map(({ organization_uuid = '' }) => organization_uuid)
    .sort(inIdOrder);
  return users && hasAllOrganizations ? named : [...named, null];
}

/** What was not read, where it is not known whom that is about. */
function* rowsOfNobody({ groupMembers }: Directory, { groups, unread, row }: Context): Generator<AccessRow> {
  for (const organization_uuid of unread)
    yield row({ ...NOBODY, organization_uuid, source: 'organization_role' }, { reason: 'users_not_read' });
  if (!groups.isRead) yield row(NOBODY, { reason: 'groups_not_read' });
  const lists = listsRead(groupMembers, ['group_id']);
  const unreadGroups = lists.unread.map(({ group_id = '' }) => group_id);
  const unnamed = groups.ids.filter((id) => !lists.has(id));
  for (const group_id of [...new Set([...unreadGroups, ...unnamed])].sort(inIdOrder)) {
    const { name: group_name } = groups.get(group_id);
    yield row({ ...NOBODY, group_id, group_name }, { reason: 'group_members_not_read' });
  }
}

const NOBODY: Place = {
  organization_uuid: null,
  user_id: null,
  email: null,
  membership: 'unknown',
  source: 'group',
  group_id: null,
  group_name: null,
};
