import type { Manifest } from '../../../src/index.js';
import {
  type AccessFact,
  type PlainDirectory,
  type PlainTable,
  referenceRows,
} from '../../access/support/reference.js';
import type { Day, JsonRecord } from '../../diff/support/made-up-api.js';

/** The columns of a population that say something, empty where there is nothing. */
export type PlainRow = Record<string, string>;

/** Everybody who has access on a made-up day: slow and obvious, from what the API served and from how the lists ended. */
export function referencePopulation(day: Day, manifest: Manifest): PlainRow[] {
  const directory = plainDirectory(day, manifest);
  const rows = new Map<string, PlainRow>();
  for (const fact of referenceRows(directory) as (AccessFact & { is_blanket: boolean })[]) {
    const key = JSON.stringify([
      fact.organization_uuid,
      fact.user_id,
      fact.source,
      fact.group_id,
      fact.role_id,
      fact.reason,
      fact.membership,
    ]);
    const known = rows.get(key) ?? rowOf(fact, day, manifest);
    rows.set(key, known);
    if (fact.is_blanket) known.blanket = 'yes';
  }
  return [...rows.values()];
}

function rowOf(fact: AccessFact, day: Day, manifest: Manifest): PlainRow {
  const organization = day.lists.organizations?.find(({ uuid }) => uuid === fact.organization_uuid);
  const isListed = manifest.tables.organizations !== undefined;
  const mine = readUsers(day, manifest)
    .filter(({ id }) => id === fact.user_id)
    .sort((a, b) => (`${a.organization_uuid}` < `${b.organization_uuid}` ? -1 : 1));
  const own = mine.find(({ organization_uuid }) => organization_uuid === fact.organization_uuid) ?? mine[0];
  const texts = {
    run_date: manifest.run_date,
    organization_uuid: fact.organization_uuid,
    organization_name: isListed ? organization?.name : null,
    user_id: fact.user_id,
    full_name: own?.full_name,
    email: fact.email,
    membership: fact.membership,
    granted_by: fact.source,
    group_id: fact.group_id,
    group_name: fact.group_name,
    role_id: fact.role_id,
    role: fact.role_name,
    blanket: null,
    status: fact.status,
    reason: fact.reason,
  };
  return Object.fromEntries(Object.entries(texts).map(([name, value]) => [name, `${value ?? ''}`]));
}

const readUsers = (day: Day, manifest: Manifest): JsonRecord[] => tableIn('users', day, manifest)?.rows ?? [];

function tableIn(name: string, { lists }: Day, { tables }: Manifest): PlainTable<JsonRecord> | undefined {
  const table = tables[name];
  if (!table) return undefined;
  return {
    lists: table.slices.map(({ parent, verdict }) => ({ parent, verdict })),
    rows: table.slices.flatMap(({ parent, verdict }) =>
      verdict === 'complete'
        ? (lists[[name, ...Object.values(parent)].join('/')] ?? []).map((record) => ({
            ...record,
            ...parent,
          }))
        : [],
    ),
  };
}

function plainDirectory(day: Day, manifest: Manifest): PlainDirectory {
  const table = (name: string) => tableIn(name, day, manifest) as never;
  return {
    snapshotDate: manifest.run_date,
    hasAllOrganizations: manifest.scope.organizations === 'all',
    users: table('users'),
    roles: table('roles'),
    rolePermissions: table('role_permissions'),
    groups: table('groups'),
    groupMembers: table('group_members'),
  };
}

/** What a reviewer must look at, as `kind organisation person role group`, by the reference. */
export function referenceExceptions(day: Day, manifest: Manifest, known?: ReadonlySet<string>): string[] {
  const population = referencePopulation(day, manifest);
  const say = (kind: string, row: PlainRow, email = row.email) =>
    [kind, row.organization_uuid, row.user_id, email, row.group_id, row.role, row.status].join('|');
  const isOwner = ({ granted_by, role }: PlainRow) =>
    granted_by === 'organization_role' && (role === 'owner' || role === 'primary_owner');
  const found = [
    ...population.filter(({ membership }) => membership === 'none').map((row) => say('orphan', row)),
    ...population.filter(isOwner).map((row) => say('owner', row)),
    ...population.filter(({ blanket }) => blanket === 'yes').map((row) => say('blanket_permission', row)),
  ];
  const listed = manifest.tables.organizations?.slices[0]?.verdict === 'complete';
  for (const { uuid } of listed ? (day.lists.organizations ?? []) : []) {
    if (manifest.scope.organizations !== 'all' && !manifest.scope.organizations.includes(`${uuid}`)) continue;
    const members = population.filter(
      (row) => row.organization_uuid === uuid && row.granted_by === 'organization_role' && row.user_id !== '',
    );
    if (members.some(isOwner)) continue;
    const slice = manifest.tables.users?.slices.find(({ parent }) => parent.organization_uuid === uuid);
    const isKnown = slice?.verdict === 'complete' && members.every(({ role }) => role !== '');
    found.push(`organization_without_owner|${uuid}|||||${isKnown ? 'known' : 'unknown'}`);
  }
  for (const id of known ? new Set(population.map(({ user_id }) => user_id).filter((id) => id !== '')) : []) {
    const served = [
      ...readUsers(day, manifest).filter((user) => user.id === id),
      ...(tableIn('group_members', day, manifest)?.rows ?? []).filter(({ user_id }) => user_id === id),
    ].map(({ email }) => email);
    const addresses = new Set(
      served.filter((email) => email !== null).map((email) => `${email}`.toLowerCase()),
    );
    for (const address of addresses)
      if (!known?.has(address)) found.push(`not_in_identity_provider||${id}|${address}|||known`);
    if (addresses.size === 0) found.push(`not_in_identity_provider||${id}||||unknown`);
  }
  return found.sort();
}
