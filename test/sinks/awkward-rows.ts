import { AWKWARD_ORGANIZATIONS, AWKWARD_USERS, changed } from '../../fixtures/api/awkward.js';
import { parseOrganization, parseUser } from '../../src/records.js';
import { type Row, rowMaker } from '../../src/rows.js';
import { organizationsSchema, type StreamSchema, usersSchema } from '../../src/schema.js';

/** The rows of a stream as a run makes them of what the API serves. */
export function rowsOf(schema: StreamSchema, served: readonly unknown[]): Row[] {
  const parse: (json: unknown) => object = schema === usersSchema ? parseUser : parseOrganization;
  const makeRow = rowMaker(
    schema,
    schema === usersSchema
      ? { organization_uuid: '0d5f9d7c-6d65-4c6f-8a0a-0f3a0c8a6f11', snapshot_date: '2026-11-23' }
      : { snapshot_date: '2026-11-23' },
    { surrogates: 0 },
  );
  return served.map((json) => makeRow(parse(json)));
}

const ORDINARY_USER = {
  full_name: 'Ada Lovelace',
  email: 'ada@example.com',
  organization_role: 'admin',
  created_at: '2024-05-06T07:08:09.123456Z',
};
const ORDINARY_ORGANIZATION = { name: 'Example', created_at: '2023-03-04T05:06:07Z' };

/** Ten megabytes. */
export const HUGE_TEXT = 'a "huge" cell, '.repeat(700_000);

/** One row for each awkward user of the fixture API, and one with a cell of ten megabytes. */
export const awkwardUsers: readonly Row[] = rowsOf(usersSchema, [
  ...AWKWARD_USERS.map((change, i) =>
    JSON.parse(changed(JSON.stringify({ id: `user_${i}`, ...ORDINARY_USER }), change)),
  ),
  { id: 'user_huge', ...ORDINARY_USER, full_name: HUGE_TEXT },
]);

/** One row for each awkward organisation of the fixture API. */
export const awkwardOrganizations: readonly Row[] = rowsOf(
  organizationsSchema,
  AWKWARD_ORGANIZATIONS.map((change, i) =>
    JSON.parse(changed(JSON.stringify({ uuid: `org-${i}`, ...ORDINARY_ORGANIZATION }), change)),
  ),
);

/** A thousand ordinary users, some without an address. */
export const ordinaryUsers: readonly Row[] = rowsOf(
  usersSchema,
  Array.from({ length: 1000 }, (_, i) => ({
    id: `user_${i}`,
    ...ORDINARY_USER,
    email: i % 7 === 0 ? null : `user.${i}@example.com`,
    created_at: new Date(1_600_000_000_000 + i * 1009).toISOString(),
  })),
);

/** The same thousand users again and again, as many pages of them as are asked for. */
export async function* pagesOfUsers(count: number): AsyncGenerator<readonly Row[]> {
  for (let page = 0; page < count; page += 1) yield ordinaryUsers;
}
