import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { FixtureApi, ServedJson } from '../../../fixtures/api/index.js';
import type { AccessRow } from '../../../src/index.js';

const README = join(import.meta.dirname, '../../../connectors/warehouse/README.md');

export const EARLIER = '2026-11-16';
export const LATER = '2026-11-23';

/** The queries in one section of the README. */
async function queriesOf(section: string): Promise<string[]> {
  const [, text = ''] = (await readFile(README, 'utf8')).split(`\n## ${section}\n`);
  return queriesIn(text.split('\n## ', 1)[0] ?? '');
}

/** The queries of the README that an auditor asks, in order. */
export const auditorQueries = (): Promise<string[]> => queriesOf('Five questions an auditor asks');

/** The query of the README that says who may use Claude Code, and of whom it is not known. */
export const accessQueries = (): Promise<string[]> => queriesOf('Who may do what');

/** The query of the README that says who was an owner when. */
export const historyQueries = (): Promise<string[]> => queriesOf('Histories');

const queriesIn = (markdown: string): string[] =>
  [...markdown.matchAll(/```sql\n([\s\S]*?)```/g)].map(([, sql = '']) => sql);

/** Its answer, by the rows that the library derives. */
export const accessAnswer = (rows: readonly AccessRow[]): Record<string, unknown>[] =>
  rows
    .filter(
      ({ source, action, is_blanket, status }) =>
        source === 'group' && (action === 'claude_code' || is_blanket || status === 'unknown'),
    )
    .map((row) => ({
      organization_uuid: row.organization_uuid,
      user_id: row.user_id,
      email: row.email,
      membership: row.membership,
      group_name: row.group_name,
      role_name: row.role_name,
      action: row.action,
      status: row.status,
      reason: row.reason,
    }));

interface Membership extends ServedJson {
  organization_uuid: string;
}

/** The answers, worked out from what a fixture serves: `earlier` is what it served at the first date. */
export function auditorAnswers(api: FixtureApi, earlier: readonly Membership[]): Record<string, unknown>[][] {
  const organizations = api.organizations();
  const members = memberships(api);
  const isOwner = ({ organization_role }: ServedJson) =>
    organization_role === 'owner' || organization_role === 'primary_owner';
  const nameOf = (uuid: string) => organizations.find((each) => each.uuid === uuid)?.name;
  const known = new Set(earlier.map(({ organization_uuid, id }) => `${organization_uuid} ${id}`));
  const domainOf = ({ email }: ServedJson) => String(email).replace(/^.*@/, '').toLowerCase();
  const idsOf = group(members, ({ id }) => String(id));
  const domains = group(
    members.filter(({ email }) => typeof email === 'string' && email.includes('@')),
    domainOf,
  );
  return [
    members.filter(isOwner).map((user) => ({
      uuid: user.organization_uuid,
      organization: nameOf(user.organization_uuid),
      id: user.id,
      full_name: user.full_name,
      email: user.email,
      organization_role: user.organization_role,
    })),
    organizations
      .filter(({ uuid }) => !members.some((user) => user.organization_uuid === uuid && isOwner(user)))
      .map(({ uuid, name }) => ({ uuid, organization: name })),
    [...idsOf]
      .filter(([, all]) => all.length > 1)
      .map(([id, all]) => ({ id, organizations: String(all.length) })),
    [...domains].map(([domain, all]) => ({
      domain,
      accounts: String(new Set(all.map(({ id }) => id)).size),
    })),
    members
      .filter(({ organization_uuid, id }) => !known.has(`${organization_uuid} ${id}`))
      .map(({ organization_uuid, id, email }) => ({ organization_uuid, id, email })),
  ];
}

export const memberships = (api: FixtureApi): Membership[] =>
  api
    .organizations()
    .flatMap(({ uuid }) =>
      [...api.users(String(uuid))].map((user) => ({ ...user, organization_uuid: String(uuid) })),
    );

function group<T>(list: readonly T[], keyOf: (item: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const item of list) groups.set(keyOf(item), [...(groups.get(keyOf(item)) ?? []), item]);
  return groups;
}

/** Rows in an order of their own: servers sort texts by rules of their own. */
export const inOrder = (rows: readonly Record<string, unknown>[]): string[] =>
  rows.map((row) => JSON.stringify(Object.entries(row).sort())).sort();
