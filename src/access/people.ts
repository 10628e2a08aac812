import type { Partitions } from '../storage/partitions.js';
import { type Directory, inIdOrder, textOf, textPool } from './directory.js';

/** A user in one organisation. */
export interface OrganizationMember {
  readonly organization: string;
  readonly name: string | null;
  readonly email: string | null;
  readonly role: string | null;
}

/** A user in one group. */
export interface GroupMember {
  readonly group: string;
  readonly email: string | null;
}

/** Everything that is known of one user. */
export interface Person {
  readonly id: string;
  /** In the order of their ids. */
  readonly organizations: OrganizationMember[];
  /** In the order of their ids. */
  readonly groups: GroupMember[];
}

/** A line that is set aside: the ids of organisations and groups are long, and there are few. */
type Line =
  | [user: string, email: string | null, group: number]
  | [user: string, email: string | null, organization: number, role: string | null, name: string | null];

const USER_COLUMNS = ['email', 'organization_role', 'full_name'];
type Texts = [email: string | null, role: string | null, name: string | null];

interface Request {
  directory: Directory;
  partitions: Partitions;
  signal: AbortSignal | undefined;
}

/**
 * Every user of every organisation and every member of every group, a few thousand at a time, in an order that depends on
 * nothing but their ids. Both tables are read to their ends first.
 */
export async function* readPeople({ directory, partitions, signal }: Request): AsyncGenerator<Person[]> {
  const organizations = numbering();
  const groups = numbering();
  const { users, groupMembers } = directory;
  for await (const rows of users?.rows() ?? []) {
    signal?.throwIfAborted();
    for (const row of rows) {
      const id = textOf(row, 'id') ?? '';
      const organization = organizations.numberOf(textOf(row, 'organization_uuid') ?? '');
      const [email, role, name] = USER_COLUMNS.map((column) => textOf(row, column)) as Texts;
      const line: Line = [id, email, organization, role, name];
      partitions.add(id, JSON.stringify(line));
    }
    await partitions.spill();
  }
  for await (const rows of groupMembers?.rows() ?? []) {
    signal?.throwIfAborted();
    for (const row of rows) {
      const id = textOf(row, 'user_id') ?? '';
      const line: Line = [id, textOf(row, 'email'), groups.numberOf(textOf(row, 'group_id') ?? '')];
      partitions.add(id, JSON.stringify(line));
    }
    await partitions.spill();
  }
  for await (const lines of partitions.read()) {
    signal?.throwIfAborted();
    yield peopleIn(lines, { organizations: organizations.ids, groups: groups.ids });
  }
}

function peopleIn(
  lines: readonly string[],
  { organizations, groups }: { organizations: readonly string[]; groups: readonly string[] },
): Person[] {
  const people = new Map<string, Person>();
  for (const text of lines) {
    const line = JSON.parse(text) as Line;
    const [id, email, number] = line;
    const person = people.get(id) ?? { id, organizations: [], groups: [] };
    people.set(id, person);
    if (line.length === 3) person.groups.push({ group: groups[number] as string, email });
    else {
      const [, , , role, name] = line;
      person.organizations.push({ organization: organizations[number] as string, name, email, role });
    }
  }
  for (const person of people.values()) {
    person.organizations.sort((a, b) => inIdOrder(a.organization, b.organization));
    person.groups.sort((a, b) => inIdOrder(a.group, b.group));
  }
  return [...people.values()].sort((a, b) => inIdOrder(a.id, b.id));
}

/** Gives ids numbers, from 0. */
function numbering() {
  const copyOf = textPool();
  const ids: string[] = [];
  const numbers = new Map<string, number>();
  return {
    ids,
    numberOf(id: string): number {
      const known = numbers.get(id);
      if (known !== undefined) return known;
      const held = copyOf(id);
      ids.push(held);
      numbers.set(held, ids.length - 1);
      return ids.length - 1;
    },
  };
}
