import { type Html, html, type Json, type ReportData } from '../../src/index.js';
import { count } from '../kit/counts.js';
import { countCell, organizationNaming, roleName, statusName } from './names.js';
import { type Cell, restOf, shownTable, table } from './tables.js';

/** Rows of a table that has one for each organisation or value. */
const MAX_ROWS = 1000;
/** Roles that have a column of their own. */
const MAX_ROLES = 12;
/** Characters of a value of a setting. */
const MAX_VALUE = 200;
/** Organisations that are named beside a value. */
const MAX_NAMES = 5;

/** Where a script draws a chart, with the numbers of it. */
const figure = (chart: string, caption: string, numbers: Html): Html => html`<figure>
<figcaption>${caption}</figcaption>
<div class="chart" data-chart="${chart}"></div>
<details><summary>The numbers: ${caption}</summary>${numbers}</details>
</figure>
`;

/** Who has access now. */
export function accessSection(report: ReportData): Html {
  const { organizations, roles, isEverybody } = report;
  const nameOf = organizationNaming(report);
  const columns = roles.slice(0, MAX_ROLES);
  const hasOthers = roles.length > MAX_ROLES;
  const sumOf = (numbers: readonly number[]): number => numbers.reduce((sum, n) => sum + n, 0);
  const totals = roles.map((_, i) => sumOf(organizations.map(({ byRole }) => byRole[i] ?? 0)));
  return html`<section id="access"><h2>Who has access now</h2>
${isEverybody ? html`` : html`<p class="gap">Not every list of users was read: there may be more people than these.</p>`}
${figure(
  'by-organization',
  'Members by organisation',
  table(
    `Organisations, their members and their built-in roles${restOf(Math.min(organizations.length, MAX_ROWS), organizations.length)}`,
    [
      'organisation',
      'UUID',
      'members',
      ...columns.map(roleName),
      ...(hasOthers ? ['other roles'] : []),
      'has an owner',
    ],
    organizations
      .slice(0, MAX_ROWS)
      .map(({ uuid, members, byRole, hasOwner }): Cell[] => [
        nameOf(uuid),
        uuid,
        countCell(members),
        ...(members === null ? byRole.slice(0, MAX_ROLES).map(() => 'not read') : byRole.slice(0, MAX_ROLES)),
        ...(hasOthers ? [sumOf(byRole.slice(MAX_ROLES))] : []),
        hasOwner === null ? 'not known' : hasOwner ? 'yes' : 'no',
      ]),
  ),
)}
${figure(
  'by-role',
  'Members by built-in role',
  table(
    'Built-in roles and how many members have them',
    ['role', 'members'],
    roles.map((role, i) => [roleName(role), totals[i] ?? 0]),
  ),
)}
</section>
`;
}

/** Everybody, in a table that a script fills. */
export const peopleSection = ({ memberships: { rows, total } }: ReportData): Html =>
  html`<section id="people"><h2>People</h2>
<p>One row for each membership: ${count(rows.length)}${rows.length < total ? ` of ${count(total)}. The others are in no row here, but in every number of this page` : ''}.</p>
<p class="gap" data-without="table">Without scripts this table is not shown.</p>
<div data-people></div>
</section>
`;

/** What was on each day. */
export function growthSection(report: ReportData): Html {
  const { days, largest, movements } = report;
  const nameOf = organizationNaming(report);
  return html`<section id="growth"><h2>Growth</h2>
<p>A membership is a person in one organisation. A day on which a list was not read to its end is a gap, and no zero.</p>
${figure(
  'days',
  'Memberships by day',
  table(
    'Days and what was counted on them',
    ['day', 'snapshot', 'organisations', 'memberships'],
    days.map(({ date, status, organizations, memberships }) => [
      date,
      statusName(status),
      countCell(organizations),
      countCell(memberships),
    ]),
  ),
)}
${figure(
  'largest',
  'Members of the largest organisations by day',
  table(
    'Days and the members of the largest organisations',
    ['day', ...largest.map(({ uuid }) => nameOf(uuid))],
    days.map(({ date, members }) => [date, ...members.map(countCell)]),
  ),
)}
${figure(
  'movements',
  'Memberships that came and went',
  table(
    'From one day of which all was read to the next',
    ['until', 'since', 'joined', 'left', 'moved', 'privilege rose', 'privilege fell', 'not known'],
    movements.map(({ from, to, joined, left, moved, rose, fell, unknown }) => [
      to,
      from,
      joined,
      left,
      moved,
      rose,
      fell,
      unknown,
    ]),
  ),
)}
</section>
`;
}

/** What a reviewer looks at first. */
export function attentionSection(report: ReportData): Html {
  const { organizations, admins, blanket, orphans, several, unknown } = report;
  const nameOf = organizationNaming(report);
  const listed = (uuids: readonly string[]) => uuids.map(nameOf).join(', ');
  const ownerless = organizations.filter(({ hasOwner }) => hasOwner !== true);
  return html`<section id="attention"><h2>What to look at first</h2>
${table(
  `Organisations without an owner${restOf(Math.min(ownerless.length, MAX_ROWS), ownerless.length)}`,
  ['organisation', 'UUID', 'members', 'owner'],
  ownerless
    .slice(0, MAX_ROWS)
    .map(({ uuid, members, hasOwner }) => [
      nameOf(uuid),
      uuid,
      countCell(members),
      hasOwner === null ? 'not known' : 'none',
    ]),
)}
${shownTable('Owners and admins', ['person', 'name', 'e-mail', 'organisation', 'role'], admins, (row) => [
  row.id,
  row.name,
  row.email,
  nameOf(row.organization),
  row.role,
])}
${shownTable(
  `Blanket permissions, which ${count(blanket.people)} people have`,
  ['person', 'e-mail', 'organisation', 'group', 'role', 'action'],
  blanket,
  (row) => [
    row.id,
    row.email,
    row.organization === null ? null : nameOf(row.organization),
    row.group,
    row.role,
    row.action,
  ],
)}
${shownTable('Orphans: people in a group and in no organisation', ['person', 'e-mail', 'in the groups'], orphans, (row) => [row.id, row.email, row.groups.join(', ')])}
${shownTable('People in several organisations', ['person', 'name', 'e-mail', 'organisations'], several, (row) => [row.id, row.name, row.email, listed(row.organizations)])}
${table(
  'Access that is not known, because something was not read',
  ['reason', 'rows of effective access'],
  Object.entries(unknown).sort(([a], [b]) => (a < b ? -1 : 1)),
)}
</section>
`;
}

/** What the settings are, and what changed in them. */
export function settingsSection(report: ReportData): Html {
  const { settings, settingChanges } = report;
  const nameOf = organizationNaming(report);
  const some = (uuids: readonly string[]): string =>
    uuids.slice(0, MAX_NAMES).map(nameOf).join(', ') + (uuids.length > MAX_NAMES ? ', …' : '');
  return html`<section id="settings"><h2>Settings</h2>
${
  settings === null
    ? html`<p class="gap">The settings were not read for this snapshot.</p>`
    : table(
        `The values of each setting${restOf(Math.min(settings.length, MAX_ROWS), settings.length)}`,
        ['setting', 'value', 'organisations', 'such as'],
        settings
          .slice(0, MAX_ROWS)
          .map(({ name, value, organizations }) => [
            name,
            jsonOf(value),
            organizations.length,
            some(organizations),
          ]),
      )
}
${shownTable(
  'What changed in them',
  ['until', 'since', 'organisation', 'setting', 'change', 'column', 'before', 'after'],
  settingChanges,
  (row) => [
    row.to,
    row.from,
    nameOf(row.organization),
    row.name,
    row.change,
    row.field,
    row.change === 'added' ? null : jsonOf(row.before),
    row.change === 'removed' ? null : jsonOf(row.after),
  ],
)}
</section>
`;
}

/** What was not read. */
export const gapsSection = ({
  gaps,
}: ReportData): Html => html`<section id="gaps"><h2>Gaps in the evidence</h2>
<p>Nothing is said here of what was not read: it is not "no access", "nobody" or "unchanged".</p>
${shownTable('What was not read', ['day', 'table', 'list', 'lists', 'reason'], gaps, (row) => [
  row.date,
  row.stream ?? 'the day',
  row.list === '' ? null : row.list,
  row.lists === 0 ? 'all' : row.lists,
  row.reason,
])}
</section>
`;

function jsonOf(value: Json): string {
  const text = JSON.stringify(value);
  return text.length > MAX_VALUE ? `${text.slice(0, MAX_VALUE)}…` : text;
}
