import { type Directory, inIdOrder, listsRead, textOf } from './directory.js';
import type { AccessReason } from './schema.js';

/** A group, as far as it matters to who may do what. */
export interface AccessGroup {
  readonly name: string | null;
  /** The ids of the roles that it gives, each once, in the order of ids. */
  readonly roles: readonly string[];
  /** Why it may give others, which are not known; null when these are all. */
  readonly unclear: AccessReason | null;
}

/** The groups of a snapshot. */
export interface AccessGroups {
  readonly isRead: boolean;
  readonly ids: readonly string[];
  /** Of a group that the list does not have, it is not known what it gives. */
  get(id: string): AccessGroup;
}

const NOT_READ: AccessGroup = { name: null, roles: [], unclear: 'groups_not_read' };

/** Reads the groups: there are some ten thousand, and all of them are held. */
export async function readGroups({ groups }: Directory, signal?: AbortSignal): Promise<AccessGroups> {
  const known = new Map<string, AccessGroup>();
  for await (const rows of groups?.rows() ?? []) {
    signal?.throwIfAborted();
    for (const row of rows) known.set(textOf(row, 'id') ?? '', groupOf(textOf(row, 'name'), row.roles));
  }
  const list = listsRead(groups);
  return {
    isRead: list.has() && list.unread.length === 0,
    ids: [...known.keys()],
    get: (id) => known.get(id) ?? NOT_READ,
  };
}

function groupOf(name: string | null, given: unknown): AccessGroup {
  if (!Array.isArray(given)) return { name, roles: [], unclear: 'group_roles_unavailable' };
  const ids = given.filter((id) => typeof id === 'string');
  return {
    name,
    roles: [...new Set(ids)].sort(inIdOrder),
    // An entry that is no id names a role all the same, and nobody knows which.
    unclear: ids.length < given.length ? 'group_roles_unavailable' : null,
  };
}
