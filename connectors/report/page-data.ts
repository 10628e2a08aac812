import type { ReportData } from '../../src/index.js';
import { organizationNaming, roleName } from './names.js';
import type { PageData } from './page-format.js';

/** Bars of a chart; its table has all. */
const BARS = 20;

/** What the scripts of a page show of a report. */
export function pageData(report: ReportData): PageData {
  const nameOf = organizationNaming(report);
  const { organizations, roles, days, largest, movements, memberships } = report;
  const places = [...new Set(memberships.rows.map(({ organization }) => organization))];
  const placeOf = new Map(places.map((uuid, i) => [uuid, i]));
  return {
    charts: {
      organizations: organizations
        .slice(0, BARS)
        .map(({ uuid, members }) => ({ key: uuid, label: nameOf(uuid), members })),
      roles: roles.slice(0, BARS).map((role, i) => ({
        key: role ?? '',
        label: roleName(role),
        members: organizations.reduce((sum, { byRole }) => sum + (byRole[i] ?? 0), 0),
      })),
      days: days.map(({ date, memberships: all }) => ({ date, members: all })),
      largest: largest.map(({ uuid }, i) => ({
        label: nameOf(uuid),
        days: days.map(({ date, members }) => ({ date, members: members[i] ?? 'not_read' })),
      })),
      movements: movements.map(({ from, to, joined, left }) => ({ from, to, joined, left })),
    },
    people: {
      organizations: places.map(nameOf),
      rows: memberships.rows.map(({ id, name, email, organization, role }) => [
        id,
        name,
        email,
        placeOf.get(organization) ?? 0,
        role,
      ]),
    },
  };
}
