import type { FixtureApi } from '../fixtures/api/index.js';
import {
  organizationsSchema,
  parseOrganization,
  parseUser,
  type Row,
  rowMaker,
  usersSchema,
} from '../src/index.js';

/** What a fixture serves now, as rows of a run date. */
export function servedRows(api: FixtureApi, runDate: string): Record<'organizations' | 'users', Row[]> {
  const added = { snapshot_date: runDate };
  const repairs = { surrogates: 0 };
  const organizations = api.organizations();
  const makeOrganization = rowMaker(organizationsSchema, added, repairs);
  return {
    organizations: organizations.map((json) => makeOrganization(parseOrganization(json))),
    users: organizations.flatMap(({ uuid }) => {
      const makeUser = rowMaker(usersSchema, { ...added, organization_uuid: String(uuid) }, repairs);
      return [...api.users(String(uuid))].map((json) => makeUser(parseUser(json)));
    }),
  };
}
