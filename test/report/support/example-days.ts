import { LocalStorage } from '../../../src/index.js';
import type { Day, JsonRecord, MadeUpApi } from '../../diff/support/made-up-api.js';
import { take } from '../../diff/support/take.js';

const FIRST = [
  'Ada',
  'Grace',
  'Alan',
  'Edsger',
  'Barbara',
  'Donald',
  'Margaret',
  'Dennis',
  'Frances',
  'Niklaus',
];
const LAST = [
  'Okafor',
  'Silva',
  'Nowak',
  'Tanaka',
  'Haddad',
  'Larsen',
  'Mbeki',
  'Rossi',
  'Kaur',
  'Ivanova',
  'Chen',
];
const PLACES = ['Engineering', 'Research', 'Sales', 'Support', 'Finance', 'Legal'];
const uuidOf = (place: number): string => `${String(place + 1).repeat(8)}-0000-4000-8000-000000000000`;

export const UNREAD_WEEK = ['2026-11-17', '2026-11-23'] as const;
export const UNREAD = uuidOf(1);
export const MISSING_DAY = '2026-11-10';
export const EXAMPLE_DAYS: readonly string[] = Array.from(
  { length: 30 },
  (_, i) => `2026-11-${String(i + 1).padStart(2, '0')}`,
);
export const PUBLISHED_DAYS = EXAMPLE_DAYS.filter((date) => date !== MISSING_DAY);

/** Always the same number below a bound. */
const diced = (seed: number, below: number): number => (Math.imul(seed + 7, 0x9e3779b1) >>> 16) % below;

/** A directory that grows: who is there, where, and with which role, follows from the number of the day. */
export function exampleDay(index: number): Day {
  const date = EXAMPLE_DAYS[index] ?? '';
  const lists: Day['lists'] = {
    organizations: PLACES.slice(0, index < 5 ? 5 : 6).map((name, i) => ({ uuid: uuidOf(i), name })),
    groups: [
      { id: 'rbac_group_1', name: 'Administrators', roles: ['rbac_role_1'] },
      { id: 'rbac_group_2', name: 'Contractors', roles: ['rbac_role_2'] },
    ],
    api_keys: [],
  };
  const people = Array.from({ length: 90 + index * 2 }, (_, n) => n).filter(
    // Some leave: one of seventeen, on a day of his own.
    (n) => n % 17 !== 5 || index < 4 + (n % 23),
  );
  for (const [place, { uuid }] of (lists.organizations ?? []).entries()) {
    lists[`users/${uuid}`] = people
      .filter((n) => placesOf(n, index).includes(place))
      .map((n) => personOf(n, place, index));
    lists[`roles/${uuid}`] =
      place > 0
        ? []
        : [
            { id: 'rbac_role_1', name: 'Everything' },
            { id: 'rbac_role_2', name: 'Reader' },
          ];
    lists[`organization_settings/${uuid}`] = settingsOf(place, index);
  }
  const first = uuidOf(0);
  lists[`role_permissions/${first}/rbac_role_1`] = [
    { action: 'capability_access_all', resource_type: null, resource_id: null },
  ];
  lists[`role_permissions/${first}/rbac_role_2`] = [
    { action: 'read', resource_type: 'project', resource_id: null },
  ];
  lists['group_members/rbac_group_1'] = [0, 6, 12].map((n) => ({ user_id: idOf(n), email: emailOf(n) }));
  lists['group_members/rbac_group_2'] = [7, 19, 5, 22].map((n) => ({ user_id: idOf(n), email: emailOf(n) }));
  const failing =
    date >= UNREAD_WEEK[0] && date <= UNREAD_WEEK[1]
      ? [`users/${UNREAD}`, `organization_settings/${UNREAD}`]
      : [];
  return { lists, failing };
}

/** Takes all of them but the one that is missing. */
export async function takeExampleDays(api: MadeUpApi, root: string): Promise<void> {
  const storage = new LocalStorage(root);
  for (const [index, runDate] of EXAMPLE_DAYS.entries())
    if (runDate !== MISSING_DAY) await take(api, storage, exampleDay(index), { runDate });
}

const idOf = (n: number): string => `user_01${String(n).padStart(4, '0')}`;
const nameOf = (n: number): string => `${FIRST[n % FIRST.length]} ${LAST[n % LAST.length]}`;
const emailOf = (n: number): string => `${nameOf(n).toLowerCase().replace(' ', '.')}.${n}@example.com`;

/** One of nine is in two organisations, and one of thirty-one moves in the middle of the month. */
function placesOf(n: number, index: number): number[] {
  const own = diced(n, PLACES.length - 1);
  if (n % 31 === 3 && index > 14) return [(own + 1) % (PLACES.length - 1)];
  if (index >= 5 && n % 13 === 1) return [own, PLACES.length - 1];
  return n % 9 === 4 ? [own, (own + 2) % (PLACES.length - 1)] : [own];
}

function personOf(n: number, place: number, index: number): JsonRecord {
  const isAdmin = n % 14 === 2 || (n % 14 === 3 && index > 20);
  const isOwner = n % 40 === 0 && place !== PLACES.length - 1;
  const organization_role = isOwner ? 'owner' : isAdmin ? 'admin' : n % 3 === 0 ? 'developer' : 'user';
  return {
    id: idOf(n),
    full_name: nameOf(n),
    email: emailOf(n),
    organization_role,
    created_at: '2026-01-31T08:00:00Z',
  };
}

const settingsOf = (place: number, index: number): JsonRecord[] => [
  { name: 'sso_required', type: 'boolean', value: place !== 4 || index > 11 },
  { name: 'retention_days', type: 'integer', value: place === 2 ? 365 : index > 19 && place === 1 ? 90 : 30 },
  ...(place === 0 ? [] : [{ name: 'web_search', type: 'boolean', value: false }]),
];
